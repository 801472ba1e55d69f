"""What a node keeps of a chain's past: its blocks, and the hub's events in them."""

from collections.abc import Collection, Sequence
from typing import Any

from workerpool_poco.chain.rpc import MISSHAPEN, JsonRpc, malformed, quantity
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
from workerpool_poco.protocol.ids import Address, Hex, address, address_bytes, from_hex, to_hex
from workerpool_poco.protocol.model import Block

_LOG_RANGE_WORDS = ("range", "more than", "too many", "too large", "limit", "exceed", "timeout", "timed out")
"""What the refusals of a search that is too large have in common; their codes differ from node to node."""


class ChainHistory:
    """Reads of blocks and of one hub's logs through one node.

    Everything raises :class:`~workerpool_poco.chain.rpc.ChainUnreachable` when the node does not answer, and
    :class:`~workerpool_poco.chain.rpc.RpcError` when it answers with an error.
    """

    def __init__(self, rpc: JsonRpc, hub_address: Address) -> None:
        self.rpc = rpc
        self.hub_address = address(hub_address)

    async def block_number(self) -> int:
        """Return the number of the latest block."""
        return quantity("eth_blockNumber", await self.rpc.call("eth_blockNumber"))

    async def block(self, which: int | bytes | str = "latest") -> Block | None:
        """Read a block by number, hash or name (``latest``, ``finalized``); None when unknown."""
        if isinstance(which, bytes):
            return _block_or_none(await self.rpc.call("eth_getBlockByHash", to_hex(which), False))
        name = hex(which) if isinstance(which, int) else which
        return _block_or_none(await self.rpc.call("eth_getBlockByNumber", name, False))

    async def blocks(self, numbers: Sequence[int]) -> list[Block | None]:
        """Read many blocks by number in one go, in order."""
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
        """Return the hub's events of the given kinds, in chain order, both blocks included.

        ``first_indexed`` keeps only events whose first indexed argument is one of
        these 32-byte words: ids, or addresses as `topic_word` spells them.
        Raises :class:`LogRangeTooLarge` when the node wants a smaller range.
        """
        topics: list[Any] = [[to_hex(topic_of(kind)) for kind in kinds]]
        if first_indexed:
            topics.append(list(first_indexed))
        return await self._logs({"fromBlock": hex(from_block), "toBlock": hex(to_block), "topics": topics})

    async def get_block_logs(
        self, block_hash: bytes, *, kinds: Collection[type[HubEvent]] = EVENT_TYPES
    ) -> list[HubEvent]:
        """Return the hub's events of exactly one block: an answer that a reorganisation cannot mix up."""
        return await self._logs(
            {"blockHash": to_hex(block_hash), "topics": [[to_hex(topic_of(kind)) for kind in kinds]]}
        )

    async def sift_block_logs(
        self, block_hash: bytes, *, kinds: Collection[type[HubEvent]] = EVENT_TYPES
    ) -> list[HubEvent] | None:
        """Pick the hub's events out of all that any contract logged in a block; None when none logged anything.

        One answer of one node, which so shows whether that node has the block's logs at all.
        """
        logs = await self._raw_logs({"blockHash": to_hex(block_hash)})
        try:
            own = [log for log in logs if address(log["address"]) == self.hub_address]
        except (*MISSHAPEN, PocoError) as cause:
            raise malformed("eth_getLogs", logs) from cause
        return [event for event in _decoded(own) if isinstance(event, tuple(kinds))] if logs else None

    def may_hold(self, block: Block, kinds: Collection[type[HubEvent]] = EVENT_TYPES) -> bool:
        """Tell whether a block's own Bloom filter says that the hub's logs of these kinds may be in it.

        A node that answers no logs although they may be there may have the block and not yet its logs. It may also
        be right: now and then other contracts' logs set the same bits. False where the filter is missing or too full.
        """
        bloom = int.from_bytes(block.logs_bloom, "big")
        if bloom.bit_count() > _MOST_BITS or not _is_in(bloom, address_bytes(self.hub_address)):
            return False
        return any(_is_in(bloom, topic_of(kind)) for kind in kinds)

    async def scheduler_notices(
        self, workerpool: Address, from_block: int, to_block: int
    ) -> list[SchedulerNotice]:
        """Return the notices of new deals for one workerpool, in chain order."""
        events = await self.get_logs(
            from_block, to_block, kinds=[SchedulerNotice], first_indexed=[topic_word(workerpool)]
        )
        return [event for event in events if isinstance(event, SchedulerNotice)]

    async def _logs(self, query: dict[str, Any]) -> list[HubEvent]:
        return _decoded(await self._raw_logs({"address": self.hub_address, **query}))

    async def _raw_logs(self, query: dict[str, Any]) -> list[Any]:
        try:
            answer = await self.rpc.call("eth_getLogs", query)
        except RpcError as error:
            if any(word in error.message.lower() for word in _LOG_RANGE_WORDS):
                raise LogRangeTooLarge(error.message) from error
            raise
        if not isinstance(answer, list):
            raise malformed("eth_getLogs", answer)
        return answer


_MOST_BITS = 512
"""Bits of 2048 up to which a filter tells something: at that, two in a thousand blocks seem to hold what they do not.

Chains with huge blocks fill it, and some that keep none answer it full.
"""


def _is_in(bloom: int, item: bytes) -> bool:
    """Tell whether a Bloom filter of 2048 bits may hold an item (Yellow Paper, 4.4.3)."""
    digest = keccak(item)
    bits = (int.from_bytes(digest[place : place + 2], "big") % 2048 for place in (0, 2, 4))
    return all(bloom >> bit & 1 for bit in bits)


def _decoded(logs: list[Any]) -> list[HubEvent]:
    """Decode logs of the hub; those of kinds that this stack does not know are left out."""
    try:
        events = [decode_log(log) for log in logs]
    except MISSHAPEN as cause:
        raise malformed("eth_getLogs", logs) from cause
    return [event for event in events if event is not None]


def _block_or_none(answer: Any) -> Block | None:
    if answer is None:
        return None
    try:
        return read_block(answer)
    except MISSHAPEN as cause:
        raise malformed("eth_getBlock", answer) from cause


def read_block(answer: dict[str, Any]) -> Block:
    """Read the head of a block from a JSON-RPC answer or notification."""
    return Block(
        number=int(answer["number"], 16),
        hash=from_hex(answer["hash"]),
        parent_hash=from_hex(answer["parentHash"]),
        timestamp=int(answer["timestamp"], 16),
        logs_bloom=from_hex(answer.get("logsBloom") or ""),
    )
