"""Delivery of signed transactions of one wallet until their nonces are used.

A transaction may stay pending without limit: nodes drop some, the network's price may exceed the offered price, and a
node may hold back the transaction with the next nonce. All later transactions of the wallet then wait too. So each
pending transaction is resent periodically, and the one with the account's next nonce is replaced by a version with a
higher price. Delivery continues when the caller stops waiting, for example because its replicate was aborted.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from workerpool_kit.logs import get_logger
from workerpool_poco.chain.heads import HeadStream
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.receipts import Receipt
from workerpool_poco.chain.transactions import (
    GasPriceCapReached,
    NonceTooLow,
    ReceiptTimeout,
    TransactionError,
    TransactionSender,
)
from workerpool_poco.chain.wallet import SignedTransaction
from workerpool_poco.errors import ChainUnreachable, RpcError
from workerpool_poco.protocol.ids import to_hex

from workerpool_worker.app.ports import SaveTransaction
from workerpool_worker.domain.record import SentTransaction

log = get_logger()

STUCK_AFTER_BLOCKS = 5
"""Blocks without a nonce change after which the next transaction is replaced; the chain adapter uses the same value.

On a busy chain a well-paid transaction waits a block or two, so a lower value would pay more without need. A higher
value delays every later replicate."""

_RESEND_AFTER_S = 3.0
"""A transaction without a receipt after this time is resent, and the account's nonce is read."""
_OUTAGE_PAUSE_S = 0.5
_RECEIPT_LIMIT_S = 60.0


@dataclass(eq=False, slots=True)
class _Pending:
    """A transaction without a receipt: its best-paying version, and the hashes of all versions."""

    latest: SignedTransaction
    hashes: list[bytes]
    save: SaveTransaction | None
    since: int
    """Head block when it was sent or replaced, or when the account's nonce last changed; 0 if no head was known."""
    account_nonce: int | None = None
    """The account's mined nonce at that time; None before the first read."""
    is_filler: bool = False
    at_cap: bool = False
    task: asyncio.Task[Receipt] = field(init=False)


class Delivery:
    """Delivers the transactions of one wallet. Call all methods from the event loop's thread."""

    def __init__(self, hub: HubClient, heads: HeadStream, sender: TransactionSender) -> None:
        self._hub = hub
        self._heads = heads
        self._sender = sender
        self._pending: set[_Pending] = set()

    async def close(self) -> None:
        """Stop the delivery of pending transactions. Sent transactions stay in the node's pool."""
        tasks = [item.task for item in self._pending]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def deliver(
        self, signed: SignedTransaction, save: SaveTransaction, earlier: Sequence[bytes] = ()
    ) -> Receipt:
        """Send a journaled transaction and return the receipt of the version that is mined.

        Args:
            signed: the version with the highest price.
            save: journals each replacement before it is sent.
            earlier: hashes of the earlier versions.

        Raises:
            ReceiptTimeout: no version is mined after 60 s. Delivery continues; a second call waits for it further.
            TransactionError: the node refuses the transaction and has no other version of it.
        """
        item = next((each for each in self._pending if signed.hash in each.hashes), None)
        if item is None:
            item = self._start(_Pending(signed, [*earlier, signed.hash], save, self._head))
        else:
            item.save = save
        await asyncio.wait({item.task}, timeout=_RECEIPT_LIMIT_S)
        if not item.task.done():
            raise ReceiptTimeout(f"transaction {to_hex(signed.hash)} is not mined after {_RECEIPT_LIMIT_S} s")
        return item.task.result()

    def _start(self, item: _Pending) -> _Pending:
        self._pending.add(item)
        item.task = asyncio.create_task(self._deliver(item), name=f"transaction-{item.latest.nonce}")
        item.task.add_done_callback(lambda done: self._on_end(item, done))
        return item

    def _on_end(self, item: _Pending, task: asyncio.Task[Receipt]) -> None:
        self._pending.discard(item)
        if not task.cancelled() and (problem := task.exception()) is not None:
            # The caller may have stopped waiting, so the failure is logged here.
            log.info("transaction.delivery_failed", nonce=item.latest.nonce, error=str(problem))

    async def _deliver(self, item: _Pending) -> Receipt:
        while True:
            used: NonceTooLow | None = None
            try:
                used = await self._send(item)
                return await self._receipt(item)
            except ReceiptTimeout:
                if used is not None:
                    raise used from None
            except (ChainUnreachable, RpcError) as trouble:
                log.warning(
                    "transaction.send_retried", transaction=to_hex(item.latest.hash), error=str(trouble)
                )
                await asyncio.sleep(_OUTAGE_PAUSE_S)
                continue
            with suppress(ChainUnreachable, RpcError):
                await self._unblock(item)

    async def _send(self, item: _Pending) -> NonceTooLow | None:
        """Send the latest version. Return a NonceTooLow refusal if an earlier version may have been mined."""
        try:
            await self._sender.send(item.latest)
        except NonceTooLow as used:
            if len(item.hashes) == 1:
                raise
            return used
        except TransactionError:
            # The node may refuse it because it pays too little more than the version in its pool.
            if not item.is_filler and not await self._node_has(item.hashes[:-1]):
                raise
        return None

    async def _node_has(self, hashes: Sequence[bytes]) -> bool:
        answers = await self._hub.rpc.batch(
            [("eth_getTransactionByHash", (to_hex(item),)) for item in hashes]
        )
        return any(isinstance(answer, Mapping) for answer in answers)

    async def _receipt(self, item: _Pending) -> Receipt:
        """Return the receipt of any version. Raises ReceiptTimeout when the transaction should be resent."""
        waits = [
            asyncio.create_task(self._sender.wait_receipt(each, _RESEND_AFTER_S)) for each in item.hashes
        ]
        for wait in waits:
            # The waits for the other versions end by their own timeout.
            wait.add_done_callback(lambda done: done.cancelled() or done.exception())
        for first in asyncio.as_completed(waits):
            with suppress(ReceiptTimeout):
                return await first
        raise ReceiptTimeout(f"no version of transaction {to_hex(item.latest.hash)} is mined yet")

    # --- blocked nonces ------------------------------------------------------

    async def _unblock(self, item: _Pending) -> None:
        """Replace the transaction with the account's next nonce, or fill that nonce, if it has not changed too long."""
        nonce = int(
            await self._hub.rpc.call("eth_getTransactionCount", self._sender.wallet.address, "latest"), 16
        )
        if not item.since or (item.account_nonce is not None and nonce != item.account_nonce):
            item.since = self._head
        item.account_nonce = nonce
        if self._head - item.since < STUCK_AFTER_BLOCKS:
            return
        item.since = self._head
        if nonce == item.latest.nonce:
            await self._replace(item)
        elif nonce < min(each.latest.nonce for each in self._pending):
            await self._fill(nonce)

    async def _replace(self, item: _Pending) -> None:
        """Journal a version with a higher price, to be sent next. At the price cap the current version stays."""
        paid = item.latest.transaction.gas_price
        try:
            version = await self._sender.replace(item.latest)
        except GasPriceCapReached as reached:
            if not item.at_cap:
                log.warning("transaction.cap_reached", nonce=item.latest.nonce, error=str(reached))
            item.at_cap = True
            return
        if item.save is not None:
            await item.save(journal_form(version, item.hashes))
        item.latest, item.at_cap = version, False
        item.hashes.append(version.hash)
        log.info(
            "transaction.replaced",
            transaction=to_hex(version.hash),
            nonce=version.nonce,
            old_price_wei=paid,
            new_price_wei=version.transaction.gas_price,
        )

    async def _fill(self, nonce: int) -> None:
        """Use an unknown nonce with an empty transfer, so that later transactions are mined.

        A replicate that ended before a restart used the nonce, or the node dropped its transaction. If it belongs to
        a live replicate, that finds its nonce used and sends a new transaction.
        """
        filler = await self._sender.sign_filler(nonce)
        with suppress(GasPriceCapReached):
            filler = await self._sender.replace(filler)
        log.warning("transaction.nonce_filled", nonce=nonce, transaction=to_hex(filler.hash))
        self._start(_Pending(filler, [filler.hash], None, self._head, is_filler=True))

    @property
    def _head(self) -> int:
        return self._heads.latest.number if self._heads.latest else 0


def journal_form(signed: SignedTransaction, earlier: Sequence[bytes] = ()) -> SentTransaction:
    """Return the journaled form of a transaction and the hashes of its earlier versions."""
    return SentTransaction(
        to_hex(signed.hash), to_hex(signed.raw), signed.nonce, tuple(to_hex(each) for each in earlier)
    )
