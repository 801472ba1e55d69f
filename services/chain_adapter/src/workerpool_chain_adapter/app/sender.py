"""From waiting commands to transactions: plan, estimate, sign, journal, then send."""

import asyncio
from collections.abc import Iterable, Sequence

from workerpool_kit.clock import Clock
from workerpool_kit.logs import get_logger
from workerpool_poco.errors import ChainUnreachable, PocoError

from workerpool_chain_adapter import metrics
from workerpool_chain_adapter.app.active_commands import ActiveCommands
from workerpool_chain_adapter.app.in_flight import InFlight
from workerpool_chain_adapter.app.mined import Mined
from workerpool_chain_adapter.app.ports import Heads, TransactionJournal, WalletChain
from workerpool_chain_adapter.app.reconciler import Reconciler
from workerpool_chain_adapter.app.wakeup import Wakeup
from workerpool_chain_adapter.domain.command import Command, CommandKey
from workerpool_chain_adapter.domain.fees import TRANSFER_GAS, GasPolicy
from workerpool_chain_adapter.domain.nonces import next_nonce
from workerpool_chain_adapter.domain.planning import Plan, plan
from workerpool_chain_adapter.domain.sending import SendOutcome
from workerpool_chain_adapter.domain.transaction import JournaledTransaction

log = get_logger()

_OUTAGE_WAIT_S = 1.0


class Sender:
    """Sends waiting commands, with at most `max_in_flight` transactions not mined."""

    def __init__(
        self,
        *,
        transactions: TransactionJournal,
        active: ActiveCommands,
        chain: WalletChain,
        heads: Heads,
        in_flight: InFlight,
        mined: Mined,
        reconciler: Reconciler,
        policy: GasPolicy,
        tracking: Wakeup,
        clock: Clock,
        max_in_flight: int,
        max_batch: int,
    ) -> None:
        """Prepare; `tracking` wakes the tracker after a send, because a chain may mine at once."""
        self._transactions = transactions
        self._active = active
        self._chain = chain
        self._heads = heads
        self._in_flight = in_flight
        self._mined = mined
        self._reconciler = reconciler
        self._policy = policy
        self._tracking = tracking
        self._clock = clock
        self._max_in_flight = max_in_flight
        self._max_batch = max_batch
        self._next_nonce: int | None = None
        self._unchecked: set[CommandKey] = set()
        self._gap: int | None = None

    @property
    def next_nonce(self) -> int | None:
        """The nonce of the next transaction; None when the node must be asked first."""
        return self._next_nonce

    def forget_nonce(self) -> None:
        """Ask the node for the nonce before the next transaction: another process used the wallet."""
        self._next_nonce = None

    def check_before_sending(self, keys: Iterable[CommandKey]) -> None:
        """Check these commands against the chain before they are sent: their effect may be there already."""
        self._unchecked.update(keys)

    def fill_gap(self, nonce: int) -> None:
        """Use `nonce` up: neither the node nor the journal uses it, and everything above it waits for it."""
        self._gap = nonce
        self._active.sending.request()

    async def run(self) -> None:
        """Send without end; waits while the node does not answer."""
        while True:
            await self._active.sending.wait()
            try:
                await self.round()
            except PocoError as error:
                log.warning("sender.chain_unreachable", error=str(error))
                await self._heads.wait_change(_OUTAGE_WAIT_S)
                self._active.sending.request()

    async def round(self) -> None:
        """Put waiting commands into transactions while there is room. Raises ChainUnreachable."""
        await self._fill_gap()
        await self._check_unchecked()
        plans = plan(self._active.waiting(), self._max_in_flight - len(self._in_flight), self._max_batch)
        if not plans:
            return
        network_price, ready, trouble = await self._estimate(plans)
        if ready:
            await self._send(ready, self._policy.price(network_price))
        if trouble:
            raise ChainUnreachable(f"the node cannot estimate gas: {trouble}")
        if self._active.waiting() and len(self._in_flight) < self._max_in_flight:
            self._active.sending.request()

    async def _fill_gap(self) -> None:
        """Send an empty transfer with the nonce that blocks those above it."""
        if self._gap is not None and self._gap not in self._in_flight.nonces:
            price = self._policy.price(await self._chain.network_price())
            filler = self._journaled(self._gap, (), b"", TRANSFER_GAS, price)
            await self._transactions.add([filler])
            self._in_flight.put([filler])
            log.warning("nonce.filled", nonce=filler.nonce, transaction=filler.latest.hash)
            await self._broadcast([filler], [])
        self._gap = None

    async def _check_unchecked(self) -> None:
        waiting = self._active.waiting()
        await self._reconciler.reconcile(
            [each for each in waiting if each.attempts > 0 or each.key in self._unchecked]
        )
        self._unchecked.clear()

    async def _estimate(self, plans: Sequence[Plan]) -> tuple[int, list[tuple[Plan, int]], str]:
        """Return the network's gas price, the plans that would not revert with their gas, and the node's own error."""
        network_price, estimates = await self._chain.estimate(plans)
        pairs, alone = [], list[Plan]()
        for each, answer in zip(plans, estimates, strict=True):
            if answer.would_revert and len(each.commands) > 1:
                # One command whose effect is on chain already makes its batch revert: try each command alone.
                alone += each.split()
            else:
                pairs.append((each, answer))
        if alone:
            _, again = await self._chain.estimate(alone)
            pairs += zip(alone, again, strict=True)
        for refused, answer in pairs:
            if answer.would_revert:
                await self._reconciler.reconcile(refused.commands, refusal=answer.problem)
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
        # From here a crash loses nothing: the journal holds the nonces and the bytes that may have been sent.
        await self._transactions.add(transactions)
        self._in_flight.put(transactions)
        commands = [
            command.processing(transaction.latest.hash, now)
            for transaction, (each, _) in zip(transactions, ready, strict=True)
            for command in each.commands
        ]
        self._active.show(*commands)
        await asyncio.gather(self._broadcast(transactions, commands), self._active.record(*commands))

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
        self._tracking.request()

    async def _take_nonces(self, count: int) -> list[int]:
        if self._next_nonce is None:
            mined, pending = await self._chain.counts()
            await self._mined.restore(max(mined, pending))
            self._next_nonce = next_nonce(mined, pending, self._in_flight.nonces)
        nonces = []
        for _ in range(count):
            nonces.append(self._next_nonce)
            # The journal may hold nonces above a gap that is being filled.
            self._next_nonce = next_nonce(self._next_nonce + 1, 0, self._in_flight.nonces)
        return nonces


async def broadcast(
    chain: WalletChain, in_flight: InFlight, transactions: Sequence[JournaledTransaction]
) -> None:
    """Send the latest version of journaled transactions and note the node's answers.

    A refused transaction stays unsent, and the tracker sends it again. Does not raise when the node is unreachable.
    """
    try:
        answers = await chain.send([each.latest for each in transactions])
    except PocoError as error:
        log.warning("transactions.send_failed", count=len(transactions), error=str(error))
        return
    for each, answer in zip(transactions, answers, strict=True):
        fields = {"nonce": each.nonce, "transaction": each.latest.hash}
        if answer.outcome in (SendOutcome.ACCEPTED, SendOutcome.NONCE_USED):
            in_flight.mark_accepted(each.nonce)
            log.info("transaction.sent", **fields, commands=len(each.keys), outcome=answer.outcome.value)
            continue
        if answer.outcome is SendOutcome.UNDERPRICED:
            in_flight.mark_underpriced(each.nonce)
        log.warning("transaction.refused", **fields, outcome=answer.outcome.value, message=answer.message)
