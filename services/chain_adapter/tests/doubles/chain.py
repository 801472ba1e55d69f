"""A chain with one wallet in memory: a transaction pool, blocks mined on demand, reorgs."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

from workerpool_chain_adapter.domain.assessment import ChainSnapshot
from workerpool_chain_adapter.domain.command import Command
from workerpool_chain_adapter.domain.planning import Plan
from workerpool_chain_adapter.domain.sending import GasEstimate, SendAnswer, SendOutcome
from workerpool_chain_adapter.domain.transaction import JournaledTransaction, Receipt, Version
from workerpool_poco.protocol.ids import ZERO_ADDRESS, DealId, TaskId, to_hex
from workerpool_poco.protocol.model import Block, ChainTask, Deal, Resource
from workerpool_poco.protocol.statuses import ChainTaskStatus

_REPLACEMENT_PERCENT = 110
"""Geth accepts a replacement from 10 % more."""
_ZERO = bytes(32)


@dataclass(frozen=True)
class _Signed:
    nonce: int
    gas_price: int
    data: bytes


class MemoryChain:
    """The `WalletChain` port over dictionaries. Every task is ACTIVE and can be claimed unless a test changes it."""

    address = "0x" + "aa" * 20

    def __init__(self) -> None:
        self.coins = 10**18
        """The wallet's balance, in wei."""
        self.gas_price = 1_000
        """The network's gas price, in wei."""
        self.outage: Exception | None = None
        """Raised by every request while it is set."""
        self.reverting: set[bytes] = set()
        """Calldata of the transactions that revert when they are mined."""
        self.refusing: dict[bytes, GasEstimate] = {}
        """Calldata of the plans that have no estimate."""
        self.statuses: dict[str, ChainTaskStatus] = {}
        """Statuses of tasks that are not ACTIVE."""
        self.heads = MemoryHeads()
        self._signed: dict[str, _Signed] = {}
        self._known: dict[str, _Signed] = {}
        self._pool: dict[int, str] = {}
        self._blocks: list[list[str | None]] = [[]]
        self._branch = 0
        self.mine()

    @property
    def in_pool(self) -> list[str]:
        """The hashes in the node's pool, by nonce."""
        return [self._pool[nonce] for nonce in sorted(self._pool)]

    def mine(self, blocks: int = 1, *, empty: bool = False) -> None:
        """Append blocks; the first contains every transaction whose turn it is, unless they stay `empty`."""
        for _ in range(blocks):
            block: list[str | None] = []
            while not empty and (hash_ := self._pool.pop(self._next_nonce + len(block), None)) is not None:
                block.append(hash_)
            self._blocks.append(block)
            self._announce()

    def use_nonce_elsewhere(self) -> None:
        """Mine a block with a transaction of the wallet that this process did not send."""
        self._pool.pop(self._next_nonce, None)
        self._blocks.append([None])
        self._announce()

    def reorganise(self, blocks: int) -> None:
        """Replace the last `blocks` blocks by empty ones; their transactions are gone from the node."""
        for block in self._blocks[-blocks:]:
            for hash_ in block:
                self._known.pop(hash_ or "", None)
        self._blocks[-blocks:] = [[] for _ in range(blocks)]
        self._branch += 1
        self._announce()

    def forget_pool(self) -> None:
        """Empty the node's pool, as a restart does."""
        for hash_ in self._pool.values():
            del self._known[hash_]
        self._pool.clear()

    async def snapshots(self, commands: Sequence[Command]) -> list[ChainSnapshot]:
        """Return one snapshot per command; see `WalletChain`."""
        self._check_outage()
        return [
            ChainSnapshot(_DEAL, self._task(each.key.task_id), 100, 50, self.address) for each in commands
        ]

    async def estimate(self, plans: Sequence[Plan]) -> tuple[int, list[GasEstimate]]:
        """Return the gas price and 100,000 gas per plan; see `WalletChain`."""
        self._check_outage()
        return self.gas_price, [self.refusing.get(each.data, GasEstimate(100_000)) for each in plans]

    def sign(self, nonce: int, gas: int, gas_price: int, data: bytes) -> Version:
        """Encode a transaction; its hash depends on every argument; see `WalletChain`."""
        raw = repr((nonce, gas, gas_price, data)).encode()
        hash_ = to_hex(hashlib.sha256(raw).digest())
        self._signed[hash_] = _Signed(nonce, gas_price, data)
        return Version(hash_, raw, gas_price)

    async def send(self, versions: Sequence[Version]) -> list[SendAnswer]:
        """Put transactions into the pool; see `WalletChain`."""
        self._check_outage()
        return [self._send(each) for each in versions]

    async def counts(self) -> tuple[int, int]:
        """Return the wallet's transaction counts; see `WalletChain`."""
        self._check_outage()
        pending = self._next_nonce
        while pending in self._pool:
            pending += 1
        return self._next_nonce, pending

    async def receipts(self, transactions: Sequence[JournaledTransaction]) -> dict[int, Receipt]:
        """Return the receipts of mined transactions; see `WalletChain`."""
        self._check_outage()
        mined = {hash_: number for number, block in enumerate(self._blocks) for hash_ in block if hash_}
        return {
            each.nonce: Receipt(
                version.hash,
                self._known[version.hash].data not in self.reverting,
                mined[version.hash],
                90_000,
            )
            for each in transactions
            for version in each.versions
            if version.hash in mined
        }

    async def knows(self, hashes: Sequence[str]) -> list[bool]:
        """Return which transactions the node has; see `WalletChain`."""
        self._check_outage()
        return [each in self._known for each in hashes]

    async def network_price(self) -> int:
        """Return the network's gas price; see `WalletChain`."""
        self._check_outage()
        return self.gas_price

    async def balance(self) -> int:
        """Return the wallet's balance; see `WalletChain`."""
        self._check_outage()
        return self.coins

    @property
    def _next_nonce(self) -> int:
        return sum(len(block) for block in self._blocks)

    def _send(self, version: Version) -> SendAnswer:
        signed = self._signed[version.hash]
        nonce = signed.nonce
        if version.hash in self._known:
            return SendAnswer(SendOutcome.ACCEPTED)
        if nonce < self._next_nonce:
            return SendAnswer(SendOutcome.NONCE_USED, "nonce too low")
        replaced = self._known.get(self._pool.get(nonce, ""))
        if replaced is not None and signed.gas_price * 100 < replaced.gas_price * _REPLACEMENT_PERCENT:
            return SendAnswer(SendOutcome.UNDERPRICED, "replacement transaction underpriced")
        if replaced is not None:
            del self._known[self._pool[nonce]]
        self._known[version.hash] = signed
        self._pool[nonce] = version.hash
        return SendAnswer(SendOutcome.ACCEPTED)

    def _check_outage(self) -> None:
        if self.outage is not None:
            raise self.outage

    def _task(self, task_id: str) -> ChainTask:
        return replace(_TASK, status=self.statuses.get(task_id, ChainTaskStatus.ACTIVE))

    def _announce(self) -> None:
        number = len(self._blocks) - 1

        def name(height: int) -> bytes:
            return bytes([self._branch]) + height.to_bytes(31, "big")

        self.heads.announce(Block(number, name(number), name(number - 1), number))


class MemoryHeads:
    """The `Heads` port."""

    def __init__(self) -> None:
        self._latest: Block | None = None
        self._changed = asyncio.Event()

    @property
    def latest(self) -> Block | None:
        """The latest block; see `Heads`."""
        return self._latest

    def announce(self, head: Block) -> None:
        """Make a block the latest one."""
        self._latest = head
        self._changed.set()

    async def __aiter__(self) -> AsyncIterator[Block]:
        """Yield each latest block; see `Heads`."""
        seen = None
        while True:
            if self._latest is not None and self._latest != seen:
                seen = self._latest
                yield seen
            else:
                await self.wait_change(3_600)

    async def wait_change(self, timeout: float) -> bool:
        """Return at the next change; see `Heads`."""
        self._changed.clear()
        try:
            async with asyncio.timeout(timeout):
                return await self._changed.wait()
        except TimeoutError:
            return False


_DEAL = Deal(
    deal_id=DealId(to_hex(_ZERO)),
    app=Resource(ZERO_ADDRESS, ZERO_ADDRESS, 0),
    dataset=Resource(ZERO_ADDRESS, ZERO_ADDRESS, 0),
    workerpool=Resource(ZERO_ADDRESS, MemoryChain.address, 0),
    trust=1,
    category=0,
    tag=_ZERO,
    requester=ZERO_ADDRESS,
    beneficiary=ZERO_ADDRESS,
    callback=ZERO_ADDRESS,
    params="",
    start_time=1,
    bot_first=0,
    bot_size=1_000,
    worker_stake=0,
    scheduler_reward_ratio=0,
    sponsor=ZERO_ADDRESS,
)
_TASK = ChainTask(
    task_id=TaskId(to_hex(_ZERO)),
    status=ChainTaskStatus.ACTIVE,
    deal_id=DealId(to_hex(_ZERO)),
    index=0,
    category_time=10,
    contribution_deadline=20,
    reveal_deadline=30,
    final_deadline=40,
    consensus_value=_ZERO,
    reveal_counter=0,
    winner_counter=0,
    contributors=(),
    result_digest=_ZERO,
    results=b"",
    results_timestamp=0,
    results_callback=b"",
)
