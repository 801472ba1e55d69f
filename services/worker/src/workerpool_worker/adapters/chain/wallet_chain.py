"""The blockchain as seen by one wallet, over the JSON-RPC hub client of `workerpool_poco`."""

import asyncio
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import contextmanager

from workerpool_kit.logs import get_logger
from workerpool_poco.chain.heads import HeadStream
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.transactions import (
    NonceTooLow,
    OutOfGas,
    ReceiptTimeout,
    ReplacementUnderpriced,
    TransactionError,
    TransactionRejected,
    TransactionSender,
)
from workerpool_poco.chain.wallet import SignedTransaction, Wallet
from workerpool_poco.errors import CallReverted, ChainUnreachable, RpcError
from workerpool_poco.protocol.authorization import WorkerpoolAuthorization
from workerpool_poco.protocol.contracts import calls
from workerpool_poco.protocol.contracts.calls import Call
from workerpool_poco.protocol.ids import Address, TaskId, from_hex, to_hex
from workerpool_poco.protocol.model import Account, ChainTask, Contribution

from workerpool_worker.adapters.chain.delivery import Delivery, journal_form
from workerpool_worker.adapters.chain.raw_transaction import decode_transaction
from workerpool_worker.app.ports import SaveTransaction
from workerpool_worker.domain.prechecks import CONTRIBUTE_GAS, REVEAL_GAS
from workerpool_worker.domain.record import SentTransaction
from workerpool_worker.domain.updates import Receipt
from workerpool_worker.errors import (
    ChainUnavailable,
    TransactionRefused,
    TransactionUnconfirmed,
    WalletOutOfGas,
)

log = get_logger()

_ESTIMATE_MARGIN_DENOMINATOR = 5
_NONCE_ATTEMPTS = 8
_NEXT_BLOCK_LIMIT_S = 5.0
_CANCEL_LIMIT_S = 5.0


@contextmanager
def _translated_errors() -> Iterator[None]:
    """Raise the errors of the chain client as the errors of the `Chain` port."""
    try:
        yield
    except (ChainUnreachable, RpcError) as outage:
        raise ChainUnavailable(str(outage)) from outage
    except ReceiptTimeout as pending:
        raise TransactionUnconfirmed(str(pending)) from pending
    except OutOfGas as empty:
        raise WalletOutOfGas(str(empty)) from empty


@contextmanager
def _rejection_is_an_outage() -> Iterator[None]:
    """Raise a refusal for an unrelated reason, such as a rate limit, as an outage, so that the step is retried.

    The retry first reads whether the chain still accepts the transaction.
    """
    try:
        yield
    except TransactionRejected as refused:
        raise ChainUnreachable(f"the node does not accept the transaction: {refused}") from refused


class WalletChain:
    """Reads and transactions of one wallet. Implements the `Chain` port."""

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
        """Number of the latest known block; 0 before the first."""
        return self._heads.latest.number if self._heads.latest else 0

    async def wait_block(self, number: int, limit_s: float) -> bool:
        """Wait until the node has a block. Return False after `limit_s` seconds."""
        if self.head >= number:
            return True
        with _translated_errors():
            # The head stream reports a block shortly after the node has it, so one read is often faster.
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
        with _translated_errors():
            return await self._hub.view_task(task_id)

    async def account(self) -> Account:
        """Read the worker's account in the hub."""
        with _translated_errors():
            return await self._hub.view_account(self._wallet.address)

    async def contribution(self, task_id: TaskId) -> Contribution:
        """Read the worker's own contribution."""
        with _translated_errors():
            return await self._hub.view_contribution(task_id, self._wallet.address)

    async def is_pool_owner(self, signer: Address) -> bool:
        """Tell whether an address owns the workerpool. An unknown signer is read again: pools change owners."""
        if self._owner != signer:
            try:
                with _translated_errors():
                    self._owner = await self._hub.workerpool_owner(self._workerpool)
            except CallReverted:
                return False
        return self._owner == signer

    async def can_pay(self, gas: int) -> bool:
        """Tell whether the wallet can pay an amount of gas at the current price."""
        with _translated_errors():
            price = await self._sender.gas_price()
            return price == 0 or await self._hub.balance(self._wallet.address) >= gas * price

    async def contribute(
        self, authorization: WorkerpoolAuthorization, result_hash: bytes, seal: bytes, save: SaveTransaction
    ) -> Receipt:
        """Send `contribute` and return its receipt.

        Raises `TransactionRefused`, `WalletOutOfGas` or `TransactionUnconfirmed`.
        """
        call = calls.contribute(
            authorization.task_id,
            result_hash,
            seal,
            authorization.signature,
            enclave_challenge=authorization.enclave_challenge,
        )
        with _translated_errors():
            return await self._execute(call, CONTRIBUTE_GAS, save)

    async def reveal(self, task_id: TaskId, digest: bytes, save: SaveTransaction) -> Receipt:
        """Send `reveal` and return its receipt.

        Raises `TransactionRefused`, `WalletOutOfGas` or `TransactionUnconfirmed`.
        """
        with _translated_errors():
            return await self._execute(calls.reveal(task_id, digest), REVEAL_GAS, save)

    async def resume(self, sent: SentTransaction, save: SaveTransaction) -> Receipt | None:
        """Resend a journaled transaction and return its receipt; None if no version of it can be mined any more.

        Raises `TransactionRefused` or `TransactionUnconfirmed`.
        """
        try:
            earlier = [from_hex(each) for each in sent.earlier]
            with _translated_errors():
                return await self._mined(decode_transaction(from_hex(sent.raw)), save, earlier)
        except (TransactionError, WalletOutOfGas) as refused:
            log.info("transaction.superseded", transaction=sent.hash, nonce=sent.nonce, error=str(refused))
            return None

    async def close(self) -> None:
        """Stop the delivery of pending transactions."""
        await self._delivery.close()

    # --- sending -------------------------------------------------------------

    async def _execute(self, call: Call, least_gas: int, save: SaveTransaction) -> Receipt:
        for attempt in range(1, _NONCE_ATTEMPTS + 1):
            try:
                signed = await self._prepare(call, least_gas)
                await self._journal(signed, save)
                return await self._mined(signed, save)
            except (NonceTooLow, ReplacementUnderpriced):
                if attempt == _NONCE_ATTEMPTS:
                    raise TransactionRefused(
                        "another process keeps sending transactions of this wallet; stop it"
                    ) from None
                if attempt > 1:
                    # The node that reports nonces may lag behind the node that accepts transactions.
                    await self._heads.wait_change(_NEXT_BLOCK_LIMIT_S)
            except OutOfGas:
                raise
            except TransactionError as refused:
                raise TransactionRefused(f"the chain refuses the transaction: {refused}") from refused
        raise AssertionError("unreachable")

    async def _prepare(self, call: Call, least_gas: int) -> SignedTransaction:
        # The estimate may be too low: the contribution that reaches consensus costs more than the one before it.
        with _rejection_is_an_outage():
            estimate = await self._sender.estimate_gas(call)
        gas = max(least_gas, estimate + estimate // _ESTIMATE_MARGIN_DENOMINATOR)
        return await self._sender.prepare(Call(call.data, call.to, call.value, gas))

    async def _journal(self, signed: SignedTransaction, save: SaveTransaction) -> None:
        """Journal a transaction before it is sent. If that fails its nonce is released."""
        try:
            await save(journal_form(signed))
        except BaseException:
            await self._finish(self._sender.abandon(signed))
            raise

    async def _mined(
        self, signed: SignedTransaction, save: SaveTransaction, earlier: Sequence[bytes] = ()
    ) -> Receipt:
        with _rejection_is_an_outage():
            mined = await self._delivery.deliver(signed, save, earlier)
        transaction = to_hex(mined.transaction_hash)
        if not mined.succeeded:
            raise TransactionRefused(
                f"transaction {transaction} was mined in block {mined.block_number} and reverted"
            )
        return Receipt(mined.block_number, transaction)

    @staticmethod
    async def _finish(work: Awaitable[None]) -> None:
        """Await work that must not be interrupted. A cancellation is raised after it."""
        task = asyncio.ensure_future(work)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait({task}, timeout=_CANCEL_LIMIT_S)
            raise
