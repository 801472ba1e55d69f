"""Blocks of the chain, and the hub's events in them."""

from collections.abc import Collection, Sequence
from typing import Any

from workerpool_poco.chain.answers import SHAPE_ERRORS, malformed, read_block, read_quantity
from workerpool_poco.chain.rpc import JsonRpc
from workerpool_poco.errors import LogRangeTooLarge, PocoError, RpcError
from workerpool_poco.protocol.contracts.events import (
    EVENT_TYPES,
    HubEvent,
    SchedulerNotice,
    decode_log,
    topic_of,
    topic_word,
)
from workerpool_poco.protocol.encoding.keccak import keccak
from workerpool_poco.protocol.ids import Address, Hex, address, address_bytes, to_hex
from workerpool_poco.protocol.model import Block

_LOG_RANGE_WORDS = ("range", "more than", "too many", "too large", "limit", "exceed", "timeout", "timed out")
"""Words of a refused log query that was too large; error codes differ between nodes."""


class ChainHistory:
    """Reads of blocks and of one hub's logs through one node.

    Every method raises `ChainUnreachable` when the node does not answer or answers something malformed, and `RpcError`
    when it answers with an error.
    """

    def __init__(self, rpc: JsonRpc, hub_address: Address) -> None:
        self.rpc = rpc
        self.hub_address = address(hub_address)

    async def block_number(self) -> int:
        """Return the number of the latest block."""
        return read_quantity("eth_blockNumber", await self.rpc.call("eth_blockNumber"))

    async def block(self, which: int | bytes | str = "latest") -> Block | None:
        """Read a block by number, hash or name (`latest`, `finalized`); None for an unknown block."""
        if isinstance(which, bytes):
            return _block_or_none(await self.rpc.call("eth_getBlockByHash", to_hex(which), False))
        name = hex(which) if isinstance(which, int) else which
        return _block_or_none(await self.rpc.call("eth_getBlockByNumber", name, False))

    async def blocks(self, numbers: Sequence[int]) -> list[Block | None]:
        """Read many blocks by number in one batch, in order."""
        answers = await self.rpc.batch_results(
            [("eth_getBlockByNumber", (hex(item), False)) for item in numbers]
        )
        return [_block_or_none(answer) for answer in answers]

    async def get_logs(
        self,
        from_block: int,
        to_block: int,
        *,
        kinds: Collection[type[HubEvent]] = EVENT_TYPES,
        first_indexed: Sequence[Hex] = (),
    ) -> list[HubEvent]:
        """Return the hub's events of the given kinds from one block to another (inclusive), in chain order.

        `first_indexed` restricts the events to those whose first indexed argument is one of these 32-byte words: ids,
        or addresses as `topic_word` spells them. Raises `LogRangeTooLarge` when the node refuses the range.
        """
        query = _range_query(from_block, to_block, kinds)
        if first_indexed:
            query["topics"].append(list(first_indexed))
        return await self._logs(query)

    async def logs_and_blocks(
        self,
        from_block: int,
        to_block: int,
        numbers: Sequence[int],
        *,
        kinds: Collection[type[HubEvent]] = EVENT_TYPES,
    ) -> tuple[list[HubEvent], list[Block | None]]:
        """Return what `get_logs` and `blocks` do, read in one request; usually one node answers both."""
        if not numbers:
            return await self.get_logs(from_block, to_block, kinds=kinds), []
        query = {"address": self.hub_address, **_range_query(from_block, to_block, kinds)}
        *blocks, logs = await self.rpc.batch(
            [
                *(("eth_getBlockByNumber", (hex(number), False)) for number in numbers),
                ("eth_getLogs", (query,)),
            ]
        )
        for block in blocks:
            if isinstance(block, RpcError):
                raise block
        return _decoded(_logs_of(logs)), [_block_or_none(block) for block in blocks]

    async def get_block_logs(
        self, block_hash: bytes, *, kinds: Collection[type[HubEvent]] = EVENT_TYPES
    ) -> list[HubEvent]:
        """Return the hub's events of one block, selected by its hash so that a reorganisation cannot mix blocks."""
        return await self._logs(
            {"blockHash": to_hex(block_hash), "topics": [[to_hex(topic_of(kind)) for kind in kinds]]}
        )

    async def sift_block_logs(
        self, block_hash: bytes, *, kinds: Collection[type[HubEvent]] = EVENT_TYPES
    ) -> list[HubEvent] | None:
        """Return the hub's events among all logs of a block; None when the block has no logs.

        The answer shows whether the node has the block's logs.
        """
        logs = await self._raw_logs({"blockHash": to_hex(block_hash)})
        try:
            own = [log for log in logs if address(log["address"]) == self.hub_address]
        except (*SHAPE_ERRORS, PocoError) as cause:
            raise malformed("eth_getLogs", logs) from cause
        return [event for event in _decoded(own) if isinstance(event, tuple(kinds))] if logs else None

    def may_hold(self, block: Block, kinds: Collection[type[HubEvent]] = EVENT_TYPES) -> bool:
        """Return whether a block's Bloom filter admits logs of the hub of these kinds.

        A node that returns no logs for such a block may have the block and not yet its logs; or other contracts' logs
        set the same bits. False when the filter is missing or too full.
        """
        bloom = int.from_bytes(block.logs_bloom, "big")
        if bloom.bit_count() > _MAX_BITS or not _may_contain(bloom, address_bytes(self.hub_address)):
            return False
        return any(_may_contain(bloom, topic_of(kind)) for kind in kinds)

    async def scheduler_notices(
        self, workerpool: Address, from_block: int, to_block: int
    ) -> list[SchedulerNotice]:
        """Return the notices of new deals of one workerpool, in chain order."""
        events = await self.get_logs(
            from_block, to_block, kinds=[SchedulerNotice], first_indexed=[topic_word(workerpool)]
        )
        return [event for event in events if isinstance(event, SchedulerNotice)]

    async def _logs(self, query: dict[str, Any]) -> list[HubEvent]:
        return _decoded(await self._raw_logs({"address": self.hub_address, **query}))

    async def _raw_logs(self, query: dict[str, Any]) -> list[Any]:
        try:
            return _logs_of(await self.rpc.call("eth_getLogs", query))
        except RpcError as error:
            return _logs_of(error)


def _range_query(first: int, last: int, kinds: Collection[type[HubEvent]]) -> dict[str, Any]:
    topics: list[Any] = [[to_hex(topic_of(kind)) for kind in kinds]]
    return {"fromBlock": hex(first), "toBlock": hex(last), "topics": topics}


def _logs_of(answer: Any) -> list[Any]:
    """Return the logs in an answer. Raises `LogRangeTooLarge` or `RpcError` for an error."""
    if isinstance(answer, RpcError):
        if any(word in answer.message.lower() for word in _LOG_RANGE_WORDS):
            raise LogRangeTooLarge(answer.message) from answer
        raise answer
    if not isinstance(answer, list):
        raise malformed("eth_getLogs", answer)
    return answer


_MAX_BITS = 512
"""Bits of 2048 up to which a filter is useful: there, it is wrong for two blocks in a thousand.

Chains with huge blocks fill it, and chains without Bloom filters return it full.
"""


def _may_contain(bloom: int, item: bytes) -> bool:
    """Return whether a Bloom filter of 2048 bits may contain an item (Yellow Paper, 4.4.3)."""
    digest = keccak(item)
    bits = (int.from_bytes(digest[place : place + 2], "big") % 2048 for place in (0, 2, 4))
    return all(bloom >> bit & 1 for bit in bits)


def _decoded(logs: list[Any]) -> list[HubEvent]:
    """Return the events in logs of the hub, without those of unknown kinds."""
    try:
        events = [decode_log(log) for log in logs]
    except SHAPE_ERRORS as cause:
        raise malformed("eth_getLogs", logs) from cause
    return [event for event in events if event is not None]


def _block_or_none(answer: Any) -> Block | None:
    return None if answer is None else read_block("eth_getBlock", answer)
