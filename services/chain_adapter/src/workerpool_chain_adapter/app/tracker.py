"""From sent transactions to ended commands: receipts at each new block, lost and stuck transactions."""

import asyncio
import contextlib
from collections.abc import Sequence

from workerpool_kit.chain_metrics import LATEST_BLOCK
from workerpool_kit.clock import Clock
from workerpool_kit.logs import get_logger
from workerpool_poco.chain.heads import HeadStream
from workerpool_poco.errors import PocoError

from workerpool_chain_adapter import metrics
from workerpool_chain_adapter.adapters.hub_chain import OwnerChain, Receipt
from workerpool_chain_adapter.adapters.mongo_journal import Journal
from workerpool_chain_adapter.app.active_commands import Board
from workerpool_chain_adapter.app.funds import Funds
from workerpool_chain_adapter.app.in_flight import InFlight
from workerpool_chain_adapter.app.mined import Mined
from workerpool_chain_adapter.app.sender import Sender, broadcast
from workerpool_chain_adapter.app.settlement import Settlement
from workerpool_chain_adapter.domain.fees import GasPolicy
from workerpool_chain_adapter.domain.transaction import JournaledTransaction, TransactionState

log = get_logger()

STUCK_AFTER_BLOCKS = 5
"""A transaction that waits longer is sent again, the first in line with a higher fee."""
LOST_AFTER_BLOCKS = 2
"""Blocks that pass while a used nonce has no receipt of ours, before it counts as used by somebody else.

As many pass while the next nonce is none of ours, before it is filled. One look is not enough: nodes behind one
address may be a block apart.
"""
LOOK_AT_LEAST_EVERY_S = 5.0
"""Looks come with blocks; this is for chains where none comes while a transaction is not sent."""


class Tracker:
    """Looks after the transactions in flight; woken by new blocks and by the sender."""

    def __init__(
        self,
        *,
        journal: Journal,
        board: Board,
        chain: OwnerChain,
        heads: HeadStream,
        in_flight: InFlight,
        mined: Mined,
        sender: Sender,
        settlement: Settlement,
        funds: Funds,
        policy: GasPolicy,
        clock: Clock,
    ) -> None:
        self._journal = journal
        self._board = board
        self._chain = chain
        self._heads = heads
        self._in_flight = in_flight
        self._mined = mined
        self._sender = sender
        self._settlement = settlement
        self._funds = funds
        self._policy = policy
        self._clock = clock
        self._without_receipt_since: dict[int, int] = {}
        self._gap_since: int | None = None
        # A transaction that is about to leave the flight must not be put back into it meanwhile.
        self._one_look = asyncio.Lock()

    async def follow_heads(self) -> None:
        """Wake `run` at each new block, for ever."""
        async for head in self._heads:
            LATEST_BLOCK.set(head.number)
            self._mined.follow(head)
            self._sender.look_due.set()

    async def run(self) -> None:
        """Look for ever; waits out a node that does not answer."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._sender.look_due.wait(), LOOK_AT_LEAST_EVERY_S)
            self._sender.look_due.clear()
            try:
                await self.look()
                await self._funds.refresh()
            except PocoError as error:
                # The next head comes when the node is back.
                log.warning("tracker.chain_unreachable", error=str(error))

    async def look(self, *, in_doubt: bool = False) -> None:
        """Compare the transactions in flight with the chain, once.

        Those that are mined are compared too when a head, or the caller, gives reason to doubt them. Raises
        ChainUnreachable.
        """
        async with self._one_look:
            if in_doubt or self._mined.in_doubt:
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
            await self._mined.revive(expected, transactions[0].nonce)
            transactions = self._in_flight.in_order()
        self._watch_for_gap(expected, transactions[0].nonce)
        past = [each for each in transactions if each.nonce < mined]
        receipts = await self._chain.receipts(past)
        ended = [
            (each, self._state(each, receipts.get(each.nonce)), receipts.get(each.nonce)) for each in past
        ]
        await self._end([item for item in ended if item[1] is not TransactionState.PENDING])
        await self._push([each for each in transactions if each.nonce >= mined])

    def _watch_for_gap(self, expected: int, lowest: int) -> None:
        """Have the next nonce on chain filled when nothing in flight has it, and that is no passing impression."""
        head = self._head()
        if expected >= lowest:
            self._gap_since = None
        elif self._gap_since is None:
            self._gap_since = head
        elif head - self._gap_since >= LOST_AFTER_BLOCKS:
            self._sender.gap = expected
            self._board.work.set()

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
            commands = self._board.unfinished(transaction.keys)
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
            log.warning("transaction.lost", nonce=transaction.nonce, state=state, commands=len(commands))
            if state is TransactionState.REPLACED:
                self._sender.forget_nonce()
        await self._settlement.record(succeeded)
        await self._settlement.settle(unclear)
        # Last: as long as the transaction counts as pending, a restart comes here again.
        journaled = [
            transaction.ended(state, receipt.block_number if receipt else 0)
            for transaction, state, receipt in ended
        ]
        await self._journal.save_transactions(journaled)
        self._mined.watch(journaled)
        nonces = [transaction.nonce for transaction in journaled]
        self._in_flight.drop(nonces)
        for nonce in nonces:
            self._without_receipt_since.pop(nonce, None)
        self._board.work.set()

    async def _push(self, waiting: Sequence[JournaledTransaction]) -> None:
        """Send again what the node does not have; replace the first in line when it is stuck."""
        head = self._head()
        again = {each.nonce: each for each in waiting if each.nonce in self._in_flight.unsent}
        old = [each for each in waiting if head - each.first_block >= STUCK_AFTER_BLOCKS]
        if old:
            known = await self._chain.knows([each.latest.hash for each in old])
            again.update({each.nonce: each for each, there in zip(old, known, strict=True) if not there})
        first = waiting[0] if waiting else None
        if first is not None and (first in old or first.nonce in self._in_flight.underpriced):
            replaced = await self._replace(first, head)
            if replaced is not None:
                again[first.nonce] = replaced
        if again:
            await broadcast(self._chain, self._in_flight, [again[nonce] for nonce in sorted(again)])

    async def _replace(self, transaction: JournaledTransaction, head: int) -> JournaledTransaction | None:
        """Journal a version that pays more; None when the cap forbids it."""
        paid = transaction.latest.gas_price
        price = self._policy.bumped(paid, await self._chain.network_price())
        if price is None:
            log.warning("transaction.at_cap", nonce=transaction.nonce, gas_price=paid, cap=self._policy.cap)
            return None
        version = self._chain.sign(transaction.nonce, transaction.gas, price, transaction.data)
        replaced = transaction.replaced_by(version, head)
        await self._journal.save_transactions([replaced])
        self._in_flight.put([replaced])
        self._in_flight.underpriced.discard(transaction.nonce)
        metrics.REPLACEMENTS.inc()
        log.info("transaction.replaced", nonce=transaction.nonce, paid=paid, pays=price)
        now = self._clock.now()
        commands = self._board.unfinished(transaction.keys)
        await self._board.record(*(each.processing(version.hash, now) for each in commands))
        return replaced

    def _head(self) -> int:
        return self._heads.latest.number if self._heads.latest else 0

    @staticmethod
    def _count(transaction: JournaledTransaction, state: TransactionState) -> None:
        method = transaction.keys[0].kind.lower() if transaction.keys else "none"
        status = "success" if state is TransactionState.MINED else "failure"
        metrics.TRANSACTIONS.labels(method, status).inc()
