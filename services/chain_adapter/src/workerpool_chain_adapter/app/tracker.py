"""From sent transactions to ended commands: receipts at each new block, lost and stuck transactions."""

import asyncio
from collections.abc import Sequence

from workerpool_kit.chain.metrics import LATEST_BLOCK
from workerpool_kit.clock import Clock
from workerpool_kit.logs import get_logger
from workerpool_poco.errors import PocoError

from workerpool_chain_adapter import metrics
from workerpool_chain_adapter.app.active_commands import ActiveCommands
from workerpool_chain_adapter.app.funds import Funds
from workerpool_chain_adapter.app.in_flight import InFlight
from workerpool_chain_adapter.app.mined import Mined
from workerpool_chain_adapter.app.ports import Heads, TransactionJournal, WalletChain
from workerpool_chain_adapter.app.reconciler import Reconciler
from workerpool_chain_adapter.app.sender import Sender, broadcast
from workerpool_chain_adapter.app.wakeup import Wakeup
from workerpool_chain_adapter.domain.fees import GasPolicy
from workerpool_chain_adapter.domain.transaction import JournaledTransaction, Receipt, TransactionState

log = get_logger()

STUCK_AFTER_BLOCKS = 5
"""A transaction that waits this long is sent again, the one with the lowest nonce at a higher gas price."""
LOST_AFTER_BLOCKS = 2
"""Blocks without a receipt of ours after which a used nonce counts as used by another transaction.

The same number of blocks passes before an unused nonce below those in flight is filled. One observation is not enough:
nodes behind one address may be a block apart.
"""
MAX_INTERVAL_S = 5.0
"""Longest time between two looks, for chains that produce no block while a transaction is unsent."""


class Tracker:
    """Follows the transactions in flight; woken by new blocks and by the sender."""

    def __init__(
        self,
        *,
        transactions: TransactionJournal,
        active: ActiveCommands,
        chain: WalletChain,
        heads: Heads,
        in_flight: InFlight,
        mined: Mined,
        sender: Sender,
        reconciler: Reconciler,
        funds: Funds,
        policy: GasPolicy,
        wakeup: Wakeup,
        clock: Clock,
    ) -> None:
        self._transactions = transactions
        self._active = active
        self._chain = chain
        self._heads = heads
        self._in_flight = in_flight
        self._mined = mined
        self._sender = sender
        self._reconciler = reconciler
        self._funds = funds
        self._policy = policy
        self._wakeup = wakeup
        self._clock = clock
        self._without_receipt_since: dict[int, int] = {}
        self._gap_since: int | None = None
        # A transaction that is about to end must not be put in flight again meanwhile.
        self._look_lock = asyncio.Lock()

    async def follow_heads(self) -> None:
        """Wake `run` at each new block, without end."""
        async for head in self._heads:
            LATEST_BLOCK.set(head.number)
            self._mined.follow(head)
            self._wakeup.request()

    async def run(self) -> None:
        """Look without end; waits while the node does not answer."""
        while True:
            await self._wakeup.wait(MAX_INTERVAL_S)
            try:
                await self.look()
                await self._funds.refresh()
            except PocoError as error:
                # The next head arrives when the node is back.
                log.warning("tracker.chain_unreachable", error=str(error))

    async def look(self, *, recheck_mined: bool = False) -> None:
        """Compare the transactions in flight with the chain, once. Raises ChainUnreachable.

        Mined transactions are compared too after a possible reorg, or when `recheck_mined` is set.
        """
        async with self._look_lock:
            if recheck_mined or self._mined.in_doubt:
                await self._mined.look()
            await self._look()

    async def _look(self) -> None:
        transactions = self._in_flight.in_order()
        if not transactions:
            return
        mined, pending = await self._chain.counts()
        metrics.TX_COUNT.labels("latest").set(mined)
        metrics.TX_COUNT.labels("pending").set(pending)
        expected = max(mined, pending)
        if expected < transactions[0].nonce:
            await self._mined.restore(expected, transactions[0].nonce)
            transactions = self._in_flight.in_order()
        self._watch_for_gap(expected, transactions[0].nonce)
        past = [each for each in transactions if each.nonce < mined]
        receipts = await self._chain.receipts(past)
        ended = [
            (each, self._state(each, receipts.get(each.nonce)), receipts.get(each.nonce)) for each in past
        ]
        await self._end([item for item in ended if item[1] is not TransactionState.PENDING])
        await self._resend([each for each in transactions if each.nonce >= mined])

    def _watch_for_gap(self, expected: int, lowest: int) -> None:
        """Have the wallet's next nonce filled when no transaction in flight has used it for a few blocks."""
        head = self._head()
        if expected >= lowest:
            self._gap_since = None
        elif self._gap_since is None:
            self._gap_since = head
        elif head - self._gap_since >= LOST_AFTER_BLOCKS:
            self._sender.fill_gap(expected)

    def _state(self, transaction: JournaledTransaction, receipt: Receipt | None) -> TransactionState:
        if receipt is not None:
            return TransactionState.MINED if receipt.succeeded else TransactionState.REVERTED
        since = self._without_receipt_since.setdefault(transaction.nonce, self._head())
        lost = self._head() - since >= LOST_AFTER_BLOCKS
        return TransactionState.REPLACED if lost else TransactionState.PENDING

    async def _end(
        self, ended: Sequence[tuple[JournaledTransaction, TransactionState, Receipt | None]]
    ) -> None:
        if not ended:
            return
        now = self._clock.now()
        succeeded, unclear = [], []
        for transaction, state, receipt in ended:
            commands = self._active.processing(transaction.keys)
            self._count(transaction, state)
            if state is TransactionState.MINED and receipt is not None:
                succeeded += [
                    command.succeeded(
                        now,
                        transaction_hash=receipt.hash,
                        block_number=receipt.block_number,
                        gas_used=receipt.gas_used,
                    )
                    for command in commands
                ]
                continue
            unclear += commands
            log.warning("transaction.failed", nonce=transaction.nonce, state=state, commands=len(commands))
            if state is TransactionState.REPLACED:
                self._sender.forget_nonce()
        await self._reconciler.record(succeeded)
        await self._reconciler.reconcile(unclear)
        # Journaled last: while the transaction counts as pending, a restart repeats this.
        journaled = [
            transaction.ended(state, receipt.block_number if receipt else 0)
            for transaction, state, receipt in ended
        ]
        await self._transactions.save(journaled)
        self._mined.watch(journaled)
        nonces = [transaction.nonce for transaction in journaled]
        self._in_flight.drop(nonces)
        for nonce in nonces:
            self._without_receipt_since.pop(nonce, None)
        self._active.sending.request()

    async def _resend(self, waiting: Sequence[JournaledTransaction]) -> None:
        """Send again what the node does not have; replace the lowest nonce when it is stuck."""
        head = self._head()
        again = {each.nonce: each for each in waiting if self._in_flight.is_unsent(each.nonce)}
        old = [each for each in waiting if head - each.first_block >= STUCK_AFTER_BLOCKS]
        if old:
            known = await self._chain.knows([each.latest.hash for each in old])
            again.update({each.nonce: each for each, there in zip(old, known, strict=True) if not there})
        first = waiting[0] if waiting else None
        if first is not None and (first in old or self._in_flight.is_underpriced(first.nonce)):
            replaced = await self._replace(first, head)
            if replaced is not None:
                again[first.nonce] = replaced
        if again:
            await broadcast(self._chain, self._in_flight, [again[nonce] for nonce in sorted(again)])

    async def _replace(self, transaction: JournaledTransaction, head: int) -> JournaledTransaction | None:
        """Journal a version that pays more; return None when the gas policy forbids it."""
        paid = transaction.latest.gas_price
        price = self._policy.bumped(paid, await self._chain.network_price())
        if price is None:
            log.warning(
                "transaction.cap_reached", nonce=transaction.nonce, gas_price=paid, cap=self._policy.cap
            )
            return None
        version = self._chain.sign(transaction.nonce, transaction.gas, price, transaction.data)
        replaced = transaction.replaced_by(version, head)
        await self._transactions.save([replaced])
        self._in_flight.put([replaced])
        metrics.REPLACEMENTS.inc()
        log.info("transaction.replaced", nonce=transaction.nonce, paid=paid, pays=price)
        now = self._clock.now()
        commands = self._active.processing(transaction.keys)
        await self._active.record(*(each.processing(version.hash, now) for each in commands))
        return replaced

    def _head(self) -> int:
        return self._heads.latest.number if self._heads.latest else 0

    @staticmethod
    def _count(transaction: JournaledTransaction, state: TransactionState) -> None:
        method = transaction.keys[0].kind.lower() if transaction.keys else "none"
        status = "success" if state is TransactionState.MINED else "failure"
        metrics.TRANSACTIONS.labels(method, status).inc()
