"""The blockchain as seen by one wallet: reads over the hub client, transactions over the pipeline."""

import asyncio
import math
from collections.abc import Iterator
from contextlib import contextmanager

from workerpool_kit.logs import get_logger
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.errors import CallReverted, ChainUnreachable, RpcError
from workerpool_poco.protocol.authorization import WorkerpoolAuthorization
from workerpool_poco.protocol.contracts import calls
from workerpool_poco.protocol.ids import Address, TaskId
from workerpool_poco.protocol.model import Account, ChainTask, Contribution
from workerpool_transactions.app.pipeline import Pipeline
from workerpool_transactions.domain.entry import Call, Entry, EntryState
from workerpool_transactions.domain.fees import FeePolicy
from workerpool_transactions.ports import Journal, Node

from workerpool_worker.adapters.chain.pool_heads import PoolHeads
from workerpool_worker.domain.prechecks import CONTRIBUTE_GAS, REVEAL_GAS
from workerpool_worker.domain.updates import Receipt
from workerpool_worker.domain.wallet.gas import ESTIMATES, Reverts, gas_limit
from workerpool_worker.domain.wallet.transactions import TransactionKind, label
from workerpool_worker.errors import (
    ChainUnavailable,
    RevertForeseen,
    TransactionRefused,
    TransactionUnconfirmed,
    WalletOutOfGas,
)

log = get_logger()

_SUBMIT_LIMIT_S = 15.0
_RECEIPT_LIMIT_S = 15.0
_POLL_S = 1.0
"""Seconds between two polls for a block or two estimates, unless a head arrives first."""
_DISPLACEMENTS = 8
_FUNDS_S = 2.0
"""Seconds for which a sufficient balance counts without another read before a transaction."""


@contextmanager
def _translated_errors() -> Iterator[None]:
    """Raise the errors of the chain client as the errors of the `Chain` port."""
    try:
        yield
    except (ChainUnreachable, RpcError) as outage:
        raise ChainUnavailable(str(outage)) from outage


class WalletChain:
    """Reads and transactions of one wallet. Implements the `Chain` port.

    Each transaction has a label, by which the journal finds it again: it is sent once, whichever process submits it.
    """

    def __init__(
        self,
        hub: HubClient,
        heads: PoolHeads,
        pipeline: Pipeline,
        *,
        journal: Journal,
        node: Node,
        policy: FeePolicy,
        wallet: Address,
        workerpool: Address,
    ) -> None:
        self._hub = hub
        self._heads = heads
        self._pipeline = pipeline
        self._journal = journal
        self._node = node
        self._policy = policy
        self._wallet = wallet
        self._workerpool = workerpool
        self._owner: Address | None = None
        self._funds, self._paid_at = 0, -math.inf
        """The gas that the wallet could pay, and when it was read."""
        self._own_block = 0
        """The newest block that the worker's node reported. The scheduler's node may be ahead of it."""

    @property
    def head(self) -> int:
        """Number of the latest known block; 0 before the first."""
        return max(self._heads.latest.number if self._heads.latest else 0, self._own_block)

    async def wait_block(self, number: int, limit_s: float) -> bool:
        """Wait until the worker's node has a block. Return False after `limit_s` seconds."""
        if self._own_block >= number:
            return True
        try:
            async with asyncio.timeout(limit_s):
                while await self._block_number() < number:
                    await self._heads.wait_change(_POLL_S)
        except TimeoutError:
            return False
        return True

    async def _block_number(self) -> int:
        with _translated_errors():
            self._own_block = max(self._own_block, await self._hub.block_number())
        return self._own_block

    async def task(self, task_id: TaskId) -> ChainTask:
        """Read a task."""
        with _translated_errors():
            return await self._hub.view_task(task_id)

    async def with_account(self, task_id: TaskId) -> tuple[ChainTask, Account]:
        """Read a task and the worker's account in the hub."""
        with _translated_errors():
            return await self._hub.view_task_and_account(task_id, self._wallet)

    async def with_contribution(self, task_id: TaskId) -> tuple[ChainTask, Contribution]:
        """Read a task and the worker's own contribution."""
        with _translated_errors():
            return await self._hub.view_task_and_contribution(task_id, self._wallet)

    async def contribution(self, task_id: TaskId) -> Contribution:
        """Read the worker's own contribution."""
        with _translated_errors():
            return await self._hub.view_contribution(task_id, self._wallet)

    async def is_pool_owner(self, signer: Address) -> bool:
        """Return whether an address owns the workerpool. An unknown signer is read again: pools change owners."""
        if self._owner != signer:
            try:
                with _translated_errors():
                    self._owner = await self._hub.workerpool_owner(self._workerpool)
            except CallReverted:
                return False
        return self._owner == signer

    async def can_pay(self, gas: int) -> bool:
        """Return whether the wallet can pay an amount of gas at today's price."""
        if self._policy.is_free:
            return True
        now = asyncio.get_running_loop().time()
        if now - self._paid_at < _FUNDS_S and self._funds >= gas:
            return True
        with _translated_errors():
            quote, balance = await asyncio.gather(self._node.quote(), self._node.balance())
        self._paid_at, self._funds = now, balance // max(self._policy.price(quote), 1)
        return self._funds >= gas

    # --- transactions --------------------------------------------------------

    async def contribute(
        self,
        authorization: WorkerpoolAuthorization,
        result_hash: bytes,
        seal: bytes,
        *,
        foresee: bool = True,
    ) -> Receipt:
        """Send `contribute` and return its receipt; with `foresee`, only if no revert is foreseen.

        Raises `RevertForeseen`, `TransactionRefused`, `WalletOutOfGas` or `TransactionUnconfirmed`.
        """
        call = calls.contribute(
            authorization.task_id,
            result_hash,
            seal,
            authorization.signature,
            enclave_challenge=authorization.enclave_challenge,
        )
        name = label(TransactionKind.CONTRIBUTE, authorization.task_id)
        with _translated_errors():
            return await self._execute(name, call.data, CONTRIBUTE_GAS, foresee)

    async def reveal(self, task_id: TaskId, digest: bytes, *, foresee: bool = True) -> Receipt:
        """Send `reveal` and return its receipt; with `foresee`, only if no revert is foreseen.

        Raises `RevertForeseen`, `TransactionRefused`, `WalletOutOfGas` or `TransactionUnconfirmed`.
        """
        name = label(TransactionKind.REVEAL, task_id)
        with _translated_errors():
            return await self._execute(name, calls.reveal(task_id, digest).data, REVEAL_GAS, foresee)

    async def resume(self, kind: TransactionKind, task_id: TaskId) -> Receipt | None:
        """Return the receipt of a transaction that was sent earlier; None if none was, or none had an effect.

        Raises `WalletOutOfGas` or `TransactionUnconfirmed`.
        """
        with _translated_errors():
            entry = await self._earlier(label(kind, task_id))
            if entry is not None:
                entry = await self._ended(entry)
        if entry is None or entry.state is not EntryState.MINED:
            return None
        return _receipt(entry)

    async def last_sent(self, kind: TransactionKind, task_id: TaskId) -> str:
        """Return the `0x…` hash of the latest transaction of a kind for a task; empty if none was sent."""
        entries = await self._journal.labelled(label(kind, task_id))
        return entries[-1].latest.hash if entries else ""

    async def _execute(self, name: str, data: bytes, min_gas: int, foresee: bool) -> Receipt:
        for _ in range(_DISPLACEMENTS):
            entry = await self._earlier(name) or await self._submitted(name, data, min_gas, foresee)
            entry = await self._ended(entry)
            if entry.state is EntryState.MINED:
                return _receipt(entry)
            if entry.state is not EntryState.DISPLACED:
                raise TransactionRefused(_problem(entry))
            log.warning("transaction.planned_anew", label=name, nonce=entry.nonce)
        raise TransactionRefused(
            "another process keeps sending transactions of this wallet; stop it, or give this worker its own wallet"
        )

    async def _earlier(self, name: str) -> Entry | None:
        """Return the transaction of a label, in flight or effective. A repeated request indicates a reorg."""
        entry = await self._effective(name)
        if entry is not None and not entry.is_live:
            await self._pipeline.recheck()
            entry = await self._effective(name)
        return entry

    async def _effective(self, name: str) -> Entry | None:
        entries = await self._journal.labelled(name)
        return next((each for each in entries if each.is_live or each.state is EntryState.MINED), None)

    async def _submitted(self, name: str, data: bytes, min_gas: int, foresee: bool) -> Entry:
        """Journal a new transaction. An interrupted caller finds it by its label."""
        call = Call(self._hub.hub_address, data, min_gas, (name,))
        self._pipeline.expect()
        gas = await self._gas(call) if foresee else min_gas
        try:
            async with asyncio.timeout(_SUBMIT_LIMIT_S):
                (entry,) = await self._pipeline.submit([Call(call.to, data, gas, call.labels)])
        except TimeoutError:
            raise ChainUnavailable("the node does not answer, so the transaction is not signed yet") from None
        return entry

    async def _gas(self, call: Call) -> int:
        """Return the gas limit. Raises `RevertForeseen` if the nodes repeat that the contract would revert the call."""
        reverts: Reverts | None = None
        for _ in range(ESTIMATES):
            (estimate,) = await self._node.estimate([call])
            if estimate.gas is not None:
                return gas_limit(estimate.gas, call.gas)
            if reverts is None:
                await self._block_number()
                reverts = Reverts(seen_at=self.head)
            if reverts.add(estimate.block_number):
                raise RevertForeseen(f"the contract would revert the transaction: {estimate.problem}")
            await self._heads.wait_change(_POLL_S)
        # The nodes lag, so their answer does not count.
        return call.gas

    async def _ended(self, entry: Entry) -> Entry:
        """Return the entry once it has ended. Raises `WalletOutOfGas` or `TransactionUnconfirmed` after a while."""
        if not entry.is_live:
            return entry
        try:
            async with asyncio.timeout(_RECEIPT_LIMIT_S):
                ended = await self._pipeline.wait(entry.nonce)
        except TimeoutError:
            pass
        else:
            if ended.receipt is not None:
                self._own_block = max(self._own_block, ended.receipt.block_number)
            return ended
        if reason := self._pipeline.status().parked_reason:
            raise WalletOutOfGas(f"transaction {entry.latest.hash} waits: {reason}")
        raise TransactionUnconfirmed(f"transaction {entry.latest.hash} is not mined yet")


def _receipt(entry: Entry) -> Receipt:
    if entry.receipt is None:
        raise TransactionUnconfirmed(f"the receipt of transaction {entry.latest.hash} is not known yet")
    return Receipt(entry.receipt.block_number, entry.receipt.hash)


def _problem(entry: Entry) -> str:
    if entry.receipt is not None:
        mined = entry.receipt
        return f"transaction {mined.hash} was mined in block {mined.block_number} and reverted"
    return f"the nodes refuse transaction {entry.latest.hash} itself; see the log for their words"
