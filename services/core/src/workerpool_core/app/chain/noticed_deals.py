"""Reads of the deals in a block's notices, retried until the node answers."""

from collections.abc import Sequence

from workerpool_kit.logs import get_logger
from workerpool_kit.retry import Backoff, retry
from workerpool_poco.errors import CallReverted, EmptyAnswer, MalformedAnswer, PocoError
from workerpool_poco.protocol.contracts.events import SchedulerNotice

from workerpool_core.app.chain.deals import DealReader, DealRefused
from workerpool_core.app.ports import BlockReader
from workerpool_core.domain.events import DealSeen
from workerpool_core.domain.model import DealTerms

log = get_logger()

BACKOFF = Backoff(first_s=0.2, longest_s=1.0)
_MALFORMED_ATTEMPTS = 30


class Reorganised(Exception):
    """The chain changed during a read; the follower searches for the common ancestor."""


class NoticedDeals:
    """The reader of the deals in notices; the follower's cursor does not pass a deal that could not be read.

    Only a deal whose data never decode is skipped after many attempts, because its author could otherwise block the
    whole pool. An empty answer does not count, because it comes from a lagging node.
    """

    def __init__(self, blocks: BlockReader, deals: DealReader) -> None:
        self._blocks = blocks
        self._deals = deals

    async def read(self, notices: Sequence[SchedulerNotice]) -> list[DealSeen]:
        """Return the deals of the notices, without those that are refused. Raises Reorganised."""
        found = [await self._read_decodable(notice) for notice in notices]
        return [DealSeen(terms) for terms in found if terms is not None]

    async def _read_decodable(self, notice: SchedulerNotice) -> DealTerms | None:
        deal, block = notice.deal_id, notice.position.block_number
        try:
            terms = await retry(
                lambda: self._read(notice),
                what="decode a deal",
                on=_is_malformed,
                backoff=BACKOFF,
                attempts=_MALFORMED_ATTEMPTS,
                deal=deal,
            )
        except DealRefused as error:
            log.info("deal.skipped", deal=deal, block=block, reason=str(error))
            return None
        except (MalformedAnswer, CallReverted) as error:
            log.error("deal.read_failed", deal=deal, block=block, error=str(error))
            return None
        log.info("deal.seen", deal=deal, block=block, tasks=terms.bot_size, trust=terms.trust)
        return terms

    async def _read(self, notice: SchedulerNotice) -> DealTerms:
        async def attempt() -> DealTerms:
            try:
                return await self._deals.read(notice.deal_id, notice.position.block_number)
            except PocoError as error:
                if _is_transient(error) and await self._is_gone(notice):
                    raise Reorganised from error
                raise

        return await retry(
            attempt, what="read a deal", on=_is_transient, backoff=BACKOFF, deal=notice.deal_id
        )

    async def _is_gone(self, notice: SchedulerNotice) -> bool:
        """Return whether the notice's block was removed from the chain, so that its deal never becomes readable."""
        try:
            block = await self._blocks.block(notice.position.block_number)
        except PocoError:
            return False
        return block is not None and block.hash != notice.position.block_hash


def _is_malformed(error: Exception) -> bool:
    return isinstance(error, MalformedAnswer | CallReverted) and not isinstance(error, EmptyAnswer)


def _is_transient(error: Exception) -> bool:
    return isinstance(error, PocoError) and not _is_malformed(error)
