"""The blockchain seen from one worker's wallet, on web3's node client and the PoCo hub."""

import asyncio
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import contextmanager

import structlog
from workerpool_poco.chain.heads import HeadStream
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.transactions import (
    NonceTooLow,
    OutOfGas,
    ReplacementUnderpriced,
    TransactionError,
    TransactionRejected,
    TransactionSender,
)
from workerpool_poco.chain.wallet import SignedTransaction, Wallet
from workerpool_poco.errors import CallReverted, ChainUnreachable
from workerpool_poco.protocol import calls
from workerpool_poco.protocol.authorization import WorkerpoolAuthorization
from workerpool_poco.protocol.calls import Call
from workerpool_poco.protocol.ids import Address, TaskId, from_hex, to_hex
from workerpool_poco.protocol.model import Account, ChainTask, Contribution

from workerpool_worker.adapters.chain.delivery import Delivery, kept_form
from workerpool_worker.adapters.chain.raw_transaction import read_transaction
from workerpool_worker.app.ports import KeepTransaction, TransactionRefused
from workerpool_worker.domain.prechecks import CONTRIBUTE_GAS, REVEAL_GAS
from workerpool_worker.domain.record import SentTransaction
from workerpool_worker.domain.updates import Receipt

log = structlog.get_logger()

_ESTIMATE_MARGIN_DENOMINATOR = 5
_NONCE_TRIES = 8
_NEXT_BLOCK_LIMIT_S = 5.0


@contextmanager
def _trouble_is_an_outage() -> Iterator[None]:
    """Make a refusal that blames neither contract, nonce, price nor funds an outage: a rate limit, or the like.

    The step is then tried again, and looks first whether the chain still wants the transaction.
    """
    try:
        yield
    except TransactionRejected as refused:
        raise ChainUnreachable(f"the node does not take the transaction: {refused}") from refused


class WalletChain:
    """Reads and transactions of one wallet. Implements the ``Chain`` port."""

    def __init__(
        self,
        hub: HubClient,
        heads: HeadStream,
        sender: TransactionSender,
        wallet: Wallet,
        workerpool: Address,
    ) -> None:
        self._hub = hub
        self._heads = heads
        self._sender = sender
        self._wallet = wallet
        self._workerpool = workerpool
        self._delivery = Delivery(hub, heads, sender)
        self._owner: Address | None = None

    @property
    def head(self) -> int:
        """Number of the newest block seen; 0 before the first."""
        return self._heads.latest.number if self._heads.latest else 0

    async def wait_block(self, number: int, limit_s: float) -> bool:
        """Wait until the node has a block; False when it took longer than ``limit_s`` seconds."""
        if self.head >= number:
            return True
        # The head stream learns of a block a moment after the node has it; often one read is quicker.
        if await self._hub.block_number() >= number:
            return True
        try:
            async with asyncio.timeout(limit_s):
                await self._heads.wait_block(number)
        except TimeoutError:
            return False
        return True

    async def task(self, task_id: TaskId) -> ChainTask:
        """Read a task."""
        return await self._hub.view_task(task_id)

    async def account(self) -> Account:
        """Read the worker's money in the hub."""
        return await self._hub.view_account(self._wallet.address)

    async def contribution(self, task_id: TaskId) -> Contribution:
        """Read the worker's own contribution."""
        return await self._hub.view_contribution(task_id, self._wallet.address)

    async def is_pool_owner(self, signer: Address) -> bool:
        """Tell whether an address owns the workerpool; pools change hands, so a stranger is looked up again."""
        if self._owner != signer:
            try:
                self._owner = await self._hub.workerpool_owner(self._workerpool)
            except CallReverted:
                return False
        return self._owner == signer

    async def can_pay(self, gas: int) -> bool:
        """Tell whether the wallet can pay for that much gas at the present price."""
        price = await self._sender.gas_price()
        return price == 0 or await self._hub.balance(self._wallet.address) >= gas * price

    async def contribute(
        self, authorization: WorkerpoolAuthorization, result_hash: bytes, seal: bytes, keep: KeepTransaction
    ) -> Receipt:
        """Send ``contribute`` and wait for its receipt; raises TransactionRefused or OutOfGas."""
        call = calls.contribute(
            authorization.task_id,
            result_hash,
            seal,
            authorization.signature,
            enclave_challenge=authorization.enclave_challenge,
        )
        return await self._execute(call, CONTRIBUTE_GAS, keep)

    async def reveal(self, task_id: TaskId, digest: bytes, keep: KeepTransaction) -> Receipt:
        """Send ``reveal`` and wait for its receipt; raises TransactionRefused or OutOfGas."""
        return await self._execute(calls.reveal(task_id, digest), REVEAL_GAS, keep)

    async def resume(self, sent: SentTransaction, keep: KeepTransaction) -> Receipt | None:
        """Send a journaled transaction once more and wait for it; None when no version of it can be mined any more."""
        try:
            earlier = [from_hex(each) for each in sent.earlier]
            return await self._mined(read_transaction(from_hex(sent.raw)), keep, earlier)
        except TransactionRefused:
            raise
        except TransactionError as refused:
            log.info("transaction.superseded", transaction=sent.hash, nonce=sent.nonce, error=str(refused))
            return None

    async def close(self) -> None:
        """Stop looking after transactions that are not mined yet."""
        await self._delivery.close()

    # --- sending -------------------------------------------------------------

    async def _execute(self, call: Call, least_gas: int, keep: KeepTransaction) -> Receipt:
        for attempt in range(1, _NONCE_TRIES + 1):
            try:
                signed = await self._prepared(call, least_gas)
                await self._kept(signed, keep)
                return await self._mined(signed, keep)
            except (NonceTooLow, ReplacementUnderpriced):
                if attempt == _NONCE_TRIES:
                    raise TransactionRefused(
                        "another process keeps sending transactions of this wallet"
                    ) from None
                if attempt > 1:
                    # The node that tells nonces may be some blocks behind the one that takes transactions.
                    await self._heads.wait_change(_NEXT_BLOCK_LIMIT_S)
            except OutOfGas:
                raise
            except TransactionError as refused:
                raise TransactionRefused(f"the chain refuses the transaction: {refused}") from refused
        raise AssertionError("unreachable")

    async def _prepared(self, call: Call, least_gas: int) -> SignedTransaction:
        # More than the usual where the estimate says so. An estimate alone may be too low: the contribution that
        # reaches consensus costs more than the one before it.
        with _trouble_is_an_outage():
            estimate = await self._sender.estimate_gas(call)
        gas = max(least_gas, estimate + estimate // _ESTIMATE_MARGIN_DENOMINATOR)
        return await self._sender.prepare(Call(call.data, call.to, call.value, gas))

    async def _kept(self, signed: SignedTransaction, keep: KeepTransaction) -> None:
        """Journal before sending; a transaction that will not be sent gives its nonce back."""
        try:
            await keep(kept_form(signed))
        except BaseException:
            await self._finish(self._sender.abandon(signed))
            raise

    async def _mined(
        self, signed: SignedTransaction, keep: KeepTransaction, earlier: Sequence[bytes] = ()
    ) -> Receipt:
        with _trouble_is_an_outage():
            mined = await self._delivery.deliver(signed, keep, earlier)
        transaction = to_hex(mined.transaction_hash)
        if not mined.succeeded:
            raise TransactionRefused(
                f"transaction {transaction} was mined in block {mined.block_number} and failed"
            )
        return Receipt(mined.block_number, transaction)

    @staticmethod
    async def _finish(work: Awaitable[None]) -> None:
        """Await something that must not be interrupted; a cancellation is passed on afterwards."""
        task = asyncio.ensure_future(work)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait({task}, timeout=5)
            raise
