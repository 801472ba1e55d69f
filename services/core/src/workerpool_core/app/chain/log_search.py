"""Searches for the hub's events: as many blocks as the node allows, repeated when a header announces more events."""

from collections.abc import Sequence

from workerpool_kit.logs import get_logger
from workerpool_kit.retry import Backoff
from workerpool_poco.errors import ChainUnreachable, LogRangeTooLarge, RpcError
from workerpool_poco.protocol.contracts.events import HubEvent
from workerpool_poco.protocol.model import Block

from workerpool_core.app.chain.log_range import LogRange
from workerpool_core.app.chain.task_events import FOLLOWED
from workerpool_core.app.ports import BlockReader

log = get_logger()

_REFUSALS = 3
"""Consecutive unknown errors after which a search near the head counts as too large."""
_LOG_ATTEMPTS = 8
"""Attempts to read a block's logs while its header announces some and the node returns none (about 6 s)."""
_LOG_BACKOFF = Backoff(first_s=0.2, longest_s=1.0, jitter=0.0)


class LogSearch:
    """Searches through one node, which may refuse large ranges with any error."""

    def __init__(self, reader: BlockReader, largest_range: int) -> None:
        self._reader = reader
        self._range = LogRange(largest_range)
        self._failures = 0
        self._largest_answered = 0

    @property
    def blocks(self) -> int:
        """The number of blocks that one search may span now."""
        return self._range.blocks

    async def search(
        self, first: int, last: int, headers: Sequence[int] = ()
    ) -> tuple[list[HubEvent], list[Block | None]] | None:
        """Search for logs and read headers in one request, so that one node answers both.

        Returns None when the node refused the search; the next one spans fewer blocks. An unknown error counts as a
        refusal at once for a size that was never answered, otherwise when it repeats. Raises PocoError.
        """
        try:
            found = await self._reader.logs_and_blocks(first, last, headers, kinds=FOLLOWED)
        except (LogRangeTooLarge, RpcError, ChainUnreachable) as error:
            # Nodes refuse a range with many different errors, some only by a timeout.
            self._failures += 1
            is_usual = last - first + 1 <= self._largest_answered and self._failures % _REFUSALS != 0
            if first == last or (is_usual and not isinstance(error, LogRangeTooLarge)):
                raise
            self._range.refused(last - first + 1)
            log.info("follower.range_reduced", blocks=self.blocks, error=str(error))
            return None
        self._failures = 0
        self._largest_answered = max(self._largest_answered, last - first + 1)
        self._range.answered()
        return found

    async def of_block(self, block: Block) -> list[HubEvent]:
        """Return the events of a block. Raises PocoError.

        A node may announce a block before it has its logs; then the Bloom filter of the header admits events that the
        node does not return. Logs of other contracts can set the same bits; reading all logs of the block shows this.
        """
        events = await self._reader.get_block_logs(block.hash, kinds=FOLLOWED)
        if events or not self._reader.may_hold(block, FOLLOWED):
            return events
        return await self.announced(block)

    async def announced(self, block: Block) -> list[HubEvent]:
        """Wait until the node has the events that a block's header announces, and return them. Raises PocoError."""
        pauses = _LOG_BACKOFF.steps()
        for _ in range(_LOG_ATTEMPTS):
            found = await self._reader.sift_block_logs(block.hash, kinds=FOLLOWED)
            if found is not None:
                return found
            log.info("follower.logs_awaited", block=block.number)
            await pauses.sleep()
        return []
