"""A chain, the nodes behind one address that lag, omit logs and reorganise, and their heads."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from workerpool_core.domain.model import DealTerms
from workerpool_core.simulation.deals import deal_terms
from workerpool_poco.errors import ChainUnreachable, LogRangeTooLarge, RpcError
from workerpool_poco.protocol.contracts.events import HubEvent, LogPosition, SchedulerNotice
from workerpool_poco.protocol.ids import DealId, address
from workerpool_poco.protocol.model import Block

POOL = address("0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A")
OTHER = address("0x3eca1B216A7DF1C7689aEb259fFB83ADFB894E7f")


@dataclass
class Chain:
    """Blocks with notices of deals."""

    blocks: list[Block] = field(default_factory=list)
    notices: dict[bytes, list[SchedulerNotice]] = field(default_factory=dict)
    mined: int = 0
    deals: int = 0

    def mine(self, *pools: str) -> None:
        """Add a block with one deal for each pool."""
        self.mined += 1
        parent = self.blocks[-1].hash if self.blocks else bytes(32)
        block = Block(len(self.blocks), self.mined.to_bytes(32), parent, 1_000 + self.mined)
        self.blocks.append(block)
        for index, pool in enumerate(pools):
            self.deals += 1
            position = LogPosition(block.number, block.hash, bytes(32), index, OTHER)
            notice = SchedulerNotice(address(pool), DealId(f"0x{self.deals:064x}"), position)
            self.notices.setdefault(block.hash, []).append(notice)

    def reorganise(self, depth: int) -> None:
        """Remove the newest blocks, except the first."""
        del self.blocks[max(len(self.blocks) - depth, 1) :]

    def own_deals(self) -> list[str]:
        return [
            notice.deal_id
            for block in self.blocks
            for notice in self.notices.get(block.hash, [])
            if notice.workerpool == POOL
        ]


class Node:
    """Nodes behind one address: `lag` blocks may be missing in any answer, and the newest logs with them."""

    def __init__(self, chain: Chain, random: Random, *, has_bloom: bool = True, largest: int = 10**9) -> None:
        self.chain, self.random = chain, random
        self.has_bloom, self.largest = has_bloom, largest
        self.lag = 0
        self.logs_late = 0
        self.trouble = 0.0
        self.calls: Counter[str] = Counter()

    def _visible(self) -> list[Block]:
        lag = self.random.randint(0, self.lag)
        return self.chain.blocks[: max(len(self.chain.blocks) - lag, 1)]

    def _count(self, method: str, calls: int = 1) -> None:
        self.calls[method] += calls
        if self.random.random() < self.trouble:
            raise self.random.choice([ChainUnreachable("502"), RpcError(method, -32000, "header not found")])

    async def block(self, which: int) -> Block | None:
        return (await self.blocks([which]))[0]

    async def blocks(self, numbers: Sequence[int]) -> list[Block | None]:
        self._count("eth_getBlockByNumber", len(numbers))
        seen = self._visible()
        return [seen[number] if 0 <= number < len(seen) else None for number in numbers]

    def _logs(self, seen: list[Block], first: int, last: int) -> list[HubEvent]:
        """Return the logs that the node has: those of its newest blocks may be missing."""
        ready = len(seen) - self.random.randint(0, self.logs_late)
        return [
            notice
            for block in seen[max(first, 0) : min(last + 1, ready)]
            for notice in self.chain.notices.get(block.hash, [])
        ]

    async def get_logs(self, first: int, last: int, *, kinds: Collection[Any]) -> list[HubEvent]:
        self._count("eth_getLogs")
        if last - first + 1 > self.largest:
            raise LogRangeTooLarge(f"at most {self.largest} blocks")
        return self._logs(self._visible(), first, last)

    async def logs_and_blocks(
        self, first: int, last: int, numbers: Sequence[int], *, kinds: Collection[Any]
    ) -> tuple[list[HubEvent], list[Block | None]]:
        blocks = await self.blocks(numbers) if numbers else []
        return await self.get_logs(first, last, kinds=kinds), blocks

    def _by_hash(self, block_hash: bytes) -> list[HubEvent]:
        self._count("eth_getLogs")
        seen = self._visible()
        for block in seen:
            if block.hash == block_hash:
                return self._logs(seen, block.number, block.number)
        raise RpcError("eth_getLogs", -32000, "unknown block")

    async def get_block_logs(self, block_hash: bytes, *, kinds: Collection[Any]) -> list[HubEvent]:
        return self._by_hash(block_hash)

    async def sift_block_logs(self, block_hash: bytes, *, kinds: Collection[Any]) -> list[HubEvent] | None:
        return self._by_hash(block_hash) or None

    def may_hold(self, block: Block, kinds: Collection[Any]) -> bool:
        return self.has_bloom and bool(self.chain.notices.get(block.hash))


class Heads:
    """Heads that a test moves."""

    def __init__(self) -> None:
        self.latest: Block | None = None
        self._changed = asyncio.Event()

    def show(self, head: Block) -> None:
        self.latest = head
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait_change(self, timeout: float) -> bool:
        try:
            await asyncio.wait_for(self._changed.wait(), timeout)
        except TimeoutError:
            return False
        return True

    async def __aiter__(self) -> AsyncIterator[Block]:
        seen: Block | None = None
        while True:
            changed = self._changed
            if self.latest is not None and self.latest != seen:
                seen = self.latest
                yield seen
            else:
                await changed.wait()


class Deals:
    async def read(self, deal_id: DealId, block: int) -> DealTerms:
        return replace(deal_terms(deal_id, start=0, execution_s=60), block=block)
