"""From waiting commands to transactions: plan, estimate, sign, journal, and only then send."""

import asyncio
from collections.abc import Sequence

from workerpool_kit.clock import Clock
from workerpool_kit.logs import get_logger
from workerpool_poco.chain.heads import HeadStream
from workerpool_poco.chain.rpc import ChainUnreachable
from workerpool_poco.chain.transactions import TRANSFER_GAS
from workerpool_poco.errors import PocoError

from workerpool_chain_adapter import metrics
from workerpool_chain_adapter.adapters.hub_chain import OwnerChain
from workerpool_chain_adapter.adapters.mongo_journal import Journal
from workerpool_chain_adapter.app.active_commands import Board
from workerpool_chain_adapter.app.in_flight import InFlight
from workerpool_chain_adapter.app.mined import Mined
from workerpool_chain_adapter.app.settlement import Settlement
from workerpool_chain_adapter.domain.command import Command, CommandKey
from workerpool_chain_adapter.domain.fees import GasPolicy
from workerpool_chain_adapter.domain.nonces import next_nonce
from workerpool_chain_adapter.domain.planning import Plan, plan
from workerpool_chain_adapter.domain.sending import SendOutcome
from workerpool_chain_adapter.domain.transaction import JournaledTransaction

log = get_logger()

_OUTAGE_PAUSE_S = 1.0


class Sender:
    """Sends what waits on the board, with at most `max_in_flight` transactions not mined."""

    def __init__(
        self,
        *,
        journal: Journal,
        board: Board,
        chain: OwnerChain,
        heads: HeadStream,
        in_flight: InFlight,
        mined: Mined,
        settlement: Settlement,
        policy: GasPolicy,
        clock: Clock,
        max_in_flight: int,
        max_batch: int,
    ) -> None:
        self._journal = journal
        self._board = board
        self._chain = chain
        self._heads = heads
        self._in_flight = in_flight
        self._mined = mined
        self._settlement = settlement
        self._policy = policy
        self._clock = clock
        self._max_in_flight = max_in_flight
        self._max_batch = max_batch
        self._next_nonce: int | None = None
        self.doubtful: set[CommandKey] = set()
        """Commands from before a restart: the chain is asked about them before they are sent."""
        self.gap: int | None = None
        """A nonce below those in flight that neither the node nor the journal uses; the tracker finds them."""
        self.look_due = asyncio.Event()
        """Set when the tracker has a reason to look: a new head, or a sending (a chain may mine it at once)."""

    @property
    def next_nonce(self) -> int | None:
        """The nonce of the next transaction, None when the node must be asked first."""
        return self._next_nonce

    def forget_nonce(self) -> None:
        """Ask the node again before the next transaction: somebody else used the wallet."""
        self._next_nonce = None

    async def run(self) -> None:
        """Send for ever; waits out a node that does not answer."""
        while True:
            await self._board.work.wait()
            self._board.work.clear()
            try:
                await self.round()
            except PocoError as error:
                log.warning("sender.chain_unreachable", error=str(error))
                await self._heads.wait_change(_OUTAGE_PAUSE_S)
                self._board.work.set()

    async def round(self) -> None:
        """Put what waits now into transactions, as far as there is room. Raises ChainUnreachable."""
        await self._fill_gap()
        await self._settle_doubtful()
        plans = plan(self._board.waiting(), self._max_in_flight - len(self._in_flight), self._max_batch)
        if not plans:
            return
        network_price, ready, trouble = await self._estimate(plans)
        if ready:
            await self._send(ready, self._policy.price(network_price))
        if trouble:
            raise ChainUnreachable(f"the node cannot estimate gas: {trouble}")
        if self._board.waiting() and len(self._in_flight) < self._max_in_flight:
            self._board.work.set()

    async def _fill_gap(self) -> None:
        """Use up the nonce on which everything above it waits, with an empty transfer."""
        if self.gap is not None and self.gap not in self._in_flight.nonces:
            price = self._policy.price(await self._chain.network_price())
            filler = self._journaled(self.gap, (), b"", TRANSFER_GAS, price)
            await self._journal.add_transactions([filler])
            self._in_flight.put([filler])
            log.warning("transaction.nonce_filled", nonce=filler.nonce, transaction=filler.latest.hash)
            await self._broadcast([filler], [])
        self.gap = None

    async def _settle_doubtful(self) -> None:
        waiting = self._board.waiting()
        await self._settlement.settle(
            [each for each in waiting if each.attempts > 0 or each.key in self.doubtful]
        )
        self.doubtful.clear()

    async def _estimate(self, plans: Sequence[Plan]) -> tuple[int, list[tuple[Plan, int]], str]:
        """Return the network's gas price, the plans that would not revert with their gas, and a node's own trouble."""
        network_price, estimates = await self._chain.estimate(plans)
        pairs, alone = [], list[Plan]()
        for each, answer in zip(plans, estimates, strict=True):
            if answer.would_revert and len(each.commands) > 1:
                # One command that somebody else fulfilled makes its whole batch revert: try each of the batch alone.
                alone += each.split()
            else:
                pairs.append((each, answer))
        if alone:
            _, again = await self._chain.estimate(alone)
            pairs += zip(alone, again, strict=True)
        for refused, answer in pairs:
            if answer.would_revert:
                await self._settlement.settle(refused.commands, refusal=answer.problem)
        room = self._max_in_flight - len(self._in_flight)
        ready = [(each, answer.gas) for each, answer in pairs if answer.gas is not None][:room]
        return (
            network_price,
            ready,
            next((a.problem for _, a in pairs if a.problem and not a.would_revert), ""),
        )

    async def _send(self, ready: Sequence[tuple[Plan, int]], gas_price: int) -> None:
        now = self._clock.now()
        nonces = await self._take_nonces(len(ready))
        transactions = [
            self._journaled(nonce, [command.key for command in each.commands], each.data, gas, gas_price)
            for nonce, (each, gas) in zip(nonces, ready, strict=True)
        ]
        # From here on a crash loses nothing: the journal knows the nonces and what was, or may have been, sent.
        await self._journal.add_transactions(transactions)
        self._in_flight.put(transactions)
        commands = [
            command.processing(transaction.latest.hash, now)
            for transaction, (each, _) in zip(transactions, ready, strict=True)
            for command in each.commands
        ]
        self._board.show(*commands)
        await asyncio.gather(self._broadcast(transactions, commands), self._board.record(*commands))

    def _journaled(
        self, nonce: int, keys: Sequence[CommandKey], data: bytes, gas: int, gas_price: int
    ) -> JournaledTransaction:
        return JournaledTransaction(
            nonce=nonce,
            keys=tuple(keys),
            data=data,
            gas=gas,
            versions=(self._chain.sign(nonce, gas, gas_price, data),),
            created_at=self._clock.now(),
            first_block=self._heads.latest.number if self._heads.latest else 0,
        )

    async def _broadcast(
        self, transactions: Sequence[JournaledTransaction], commands: Sequence[Command]
    ) -> None:
        await broadcast(self._chain, self._in_flight, transactions)
        for command in commands:
            metrics.SEND_SECONDS.observe(max(self._clock.now() - command.created_at, 0))
        self.look_due.set()

    async def _take_nonces(self, count: int) -> list[int]:
        if self._next_nonce is None:
            mined, pending = await self._chain.counts()
            await self._mined.revive(max(mined, pending))
            self._next_nonce = next_nonce(mined, pending, self._in_flight.nonces)
        nonces = []
        for _ in range(count):
            nonces.append(self._next_nonce)
            # The journal may hold nonces above a gap that is being filled.
            self._next_nonce = next_nonce(self._next_nonce + 1, 0, self._in_flight.nonces)
        return nonces


async def broadcast(
    chain: OwnerChain, in_flight: InFlight, transactions: Sequence[JournaledTransaction]
) -> None:
    """Send the latest version of journaled transactions and note how the node took them.

    What was not taken stays unsent; the tracker sends it again. Never raises for an unreachable node.
    """
    try:
        answers = await chain.send([each.latest for each in transactions])
    except PocoError as error:
        log.warning("transactions.not_sent", count=len(transactions), error=str(error))
        return
    for each, answer in zip(transactions, answers, strict=True):
        fields = {"nonce": each.nonce, "transaction": each.latest.hash}
        if answer.outcome in (SendOutcome.ACCEPTED, SendOutcome.NONCE_USED):
            in_flight.unsent.discard(each.nonce)
            log.info("transaction.sent", **fields, commands=len(each.keys), outcome=answer.outcome.value)
            continue
        if answer.outcome is SendOutcome.UNDERPRICED:
            in_flight.underpriced.add(each.nonce)
        log.warning("transaction.not_taken", **fields, outcome=answer.outcome.value, message=answer.message)
