"""Brings the wallet's signed transactions into the chain, whatever the node does with them.

A transaction can wait for ever: nodes forget some, the price may have risen above what it pays, and now and then a node
holds one back although it is the next in line. Then everything this wallet sends after it waits too. So each is sent
again from time to time, and one that holds up the line is replaced by a version that pays more. Whoever asked for
a transaction may stop waiting for it (an aborted replicate); it is looked after until its nonce is used all the same.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import structlog
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

from workerpool_worker.app.ports import KeepTransaction
from workerpool_worker.domain.record import SentTransaction

log = structlog.get_logger()

STUCK_AFTER_BLOCKS = 5
"""Blocks without movement after which the first in line is replaced, as the scheduler's chain adapter has it.

A busy chain makes a well-paid transaction wait for a block or two, so fewer would pay more for nothing; more would only
make every replicate behind it wait longer."""

_SEND_AGAIN_S = 3.0
"""How long a transaction may wait before it is sent once more and its place in line is looked at."""
_RESEND_PAUSE_S = 0.5
_RECEIPT_LIMIT_S = 60.0


@dataclass(eq=False, slots=True)
class _Waiting:
    """A transaction on its way: the version that pays most, and the hashes of all."""

    latest: SignedTransaction
    hashes: list[bytes]
    keep: KeepTransaction | None
    since: int
    """Head when it was sent or replaced, or when the line before it last moved; 0 when no head was known yet."""
    line: int | None = None
    """Nonce that the account had then; None before the first look."""
    is_filler: bool = False
    at_cap: bool = False
    task: asyncio.Task[Receipt] = field(init=False)


class Delivery:
    """Delivers transactions of one wallet. All methods are for the event loop's thread."""

    def __init__(self, hub: HubClient, heads: HeadStream, sender: TransactionSender) -> None:
        self._hub = hub
        self._heads = heads
        self._sender = sender
        self._waiting: set[_Waiting] = set()

    async def close(self) -> None:
        """Stop looking after what is not mined yet; what was sent stays sent."""
        tasks = [item.task for item in self._waiting]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def deliver(
        self, signed: SignedTransaction, keep: KeepTransaction, earlier: Sequence[bytes] = ()
    ) -> Receipt:
        """Send a journaled transaction and return the receipt of whichever version of it is mined.

        Args:
            signed: the version that pays most.
            keep: journals each version that replaces it, before that is sent.
            earlier: hashes of the versions before it.

        Raises:
            ReceiptTimeout: none is mined after a minute; delivery goes on, and asking again takes it up.
            TransactionError: the node refuses it, and has no other version of it: prepare it anew.
        """
        item = next((each for each in self._waiting if signed.hash in each.hashes), None)
        if item is None:
            item = self._begin(_Waiting(signed, [*earlier, signed.hash], keep, self._head))
        else:
            item.keep = keep
        await asyncio.wait({item.task}, timeout=_RECEIPT_LIMIT_S)
        if not item.task.done():
            raise ReceiptTimeout(f"transaction {to_hex(signed.hash)} is not mined after {_RECEIPT_LIMIT_S} s")
        return item.task.result()

    def _begin(self, item: _Waiting) -> _Waiting:
        self._waiting.add(item)
        item.task = asyncio.create_task(self._bring_in(item), name=f"transaction-{item.latest.nonce}")
        item.task.add_done_callback(lambda done: self._over(item, done))
        return item

    def _over(self, item: _Waiting, task: asyncio.Task[Receipt]) -> None:
        self._waiting.discard(item)
        if not task.cancelled() and (problem := task.exception()) is not None:
            # Perhaps nobody waits for it any more.
            log.info("transaction.not_delivered", nonce=item.latest.nonce, error=str(problem))

    async def _bring_in(self, item: _Waiting) -> Receipt:
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
                await asyncio.sleep(_RESEND_PAUSE_S)
                continue
            with suppress(ChainUnreachable, RpcError):
                await self._push(item)

    async def _send(self, item: _Waiting) -> NonceTooLow | None:
        """Send the latest version; return why it is too late for it when it may be an earlier one that was mined."""
        try:
            await self._sender.send(item.latest)
        except NonceTooLow as used:
            if len(item.hashes) == 1:
                raise
            return used
        except TransactionError:
            # Refused, perhaps since it pays too little more than the version that waits.
            if not item.is_filler and not await self._node_has(item.hashes[:-1]):
                raise
        return None

    async def _node_has(self, hashes: Sequence[bytes]) -> bool:
        answers = await self._hub.rpc.batch(
            [("eth_getTransactionByHash", (to_hex(item),)) for item in hashes]
        )
        return any(isinstance(answer, Mapping) for answer in answers)

    async def _receipt(self, item: _Waiting) -> Receipt:
        """Return the receipt of any version; raises ReceiptTimeout when it is time to look closer."""
        waits = [asyncio.create_task(self._sender.wait_receipt(each, _SEND_AGAIN_S)) for each in item.hashes]
        for wait in waits:
            # Those that are not mined end by themselves, after their time.
            wait.add_done_callback(lambda done: done.cancelled() or done.exception())
        for first in asyncio.as_completed(waits):
            with suppress(ReceiptTimeout):
                return await first
        raise ReceiptTimeout(f"no version of transaction {to_hex(item.latest.hash)} is mined yet")

    # --- what holds up the line ----------------------------------------------

    async def _push(self, item: _Waiting) -> None:
        """Get the line moving when it has stood still for too long and nobody else does."""
        line = int(
            await self._hub.rpc.call("eth_getTransactionCount", self._sender.wallet.address, "latest"), 16
        )
        if not item.since or (item.line is not None and line != item.line):
            item.since = self._head
        item.line = line
        if self._head - item.since < STUCK_AFTER_BLOCKS:
            return
        item.since = self._head
        if line == item.latest.nonce:
            await self._replace(item)
        elif line < min(each.latest.nonce for each in self._waiting):
            await self._fill(line)

    async def _replace(self, item: _Waiting) -> None:
        """Journal a version that pays more; the next round sends it. At the price cap the old one goes on waiting."""
        paid = item.latest.transaction.gas_price
        try:
            version = await self._sender.replace(item.latest)
        except GasPriceCapReached as reached:
            if not item.at_cap:
                log.warning("transaction.at_cap", nonce=item.latest.nonce, error=str(reached))
            item.at_cap = True
            return
        if item.keep is not None:
            await item.keep(kept_form(version, item.hashes))
        item.latest, item.at_cap = version, False
        item.hashes.append(version.hash)
        log.info(
            "transaction.replaced",
            transaction=to_hex(version.hash),
            nonce=version.nonce,
            paid=paid,
            pays=version.transaction.gas_price,
        )

    async def _fill(self, nonce: int) -> None:
        """Use a nonce of which this process knows nothing, for the sake of those behind it, with an empty transfer.

        It was left by a replicate that ended before a restart, or the node has lost it. Should it belong to a replicate
        after all, that finds its nonce used and sends anew.
        """
        filler = await self._sender.sign_filler(nonce)
        with suppress(GasPriceCapReached):
            filler = await self._sender.replace(filler)
        log.warning("transaction.nonce_filled", nonce=nonce, transaction=to_hex(filler.hash))
        self._begin(_Waiting(filler, [filler.hash], None, self._head, is_filler=True))

    @property
    def _head(self) -> int:
        return self._heads.latest.number if self._heads.latest else 0


def kept_form(signed: SignedTransaction, earlier: Sequence[bytes] = ()) -> SentTransaction:
    """Return what the journal keeps of a transaction and of the versions before it."""
    return SentTransaction(
        to_hex(signed.hash), to_hex(signed.raw), signed.nonce, tuple(to_hex(each) for each in earlier)
    )
