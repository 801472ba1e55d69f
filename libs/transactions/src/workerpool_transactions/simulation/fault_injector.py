"""The recurring faults of a seed."""

from collections.abc import Callable

from workerpool_transactions.simulation.chain.blocks import Chain
from workerpool_transactions.simulation.chain.node import TIP, SimulatedNode
from workerpool_transactions.simulation.chain.signed import CONTRACT, Signed
from workerpool_transactions.simulation.environment import Environment
from workerpool_transactions.simulation.process.life import Life
from workerpool_transactions.simulation.terms import BASE_FEE, GAS

_LEVELS = (0.5, 1.0, 3.5)
"""The base fee after a rise: also above what transactions offered before it."""


class FaultInjector:
    """Causes faults at their rates until the environment's `faults_end`, and ends them then."""

    def __init__(
        self, environment: Environment, chain: Chain, node: SimulatedNode, life: Callable[[], Life | None]
    ) -> None:
        self._environment = environment
        self._chain = chain
        self._node = node
        self._life = life
        self._strangers: list[Signed] = []

    def waiting_strangers(self) -> int:
        """Return the number of another program's transactions that wait at a node."""
        head, intake = self._chain.head, self._node.intake
        return sum(
            each.hash not in head.receipts and intake.knows(each.hash, head) for each in self._strangers
        )

    def start(self, later: Callable[[float, Callable[[], None]], object]) -> None:
        """Schedule the first occurrence of every fault; `later` schedules a call after some seconds."""
        self._later = later
        faults = self._environment.faults
        for call, rate in (
            (self._lose_pool, faults.pool_losses),
            (self._lie, faults.lying_windows),
            (self._cause_outage, faults.outages),
            (self._raise_fee, faults.spikes),
            (self._reorganise, faults.reorganisations),
            (self._use_nonce, faults.strangers),
            (self._crash, faults.crashes),
        ):
            if rate:
                self._recur(call, rate)
        later(self._environment.faults_end, self._end)

    def _recur(self, call: Callable[[], None], rate: float) -> None:
        def again() -> None:
            if self._environment.has_faults:
                self._environment.note(f"fault.{call.__name__.strip('_')}")
                call()
                self._recur(call, rate)

        self._later(self._environment.random.expovariate(rate), again)

    def _end(self) -> None:
        self._environment.note("faults.ended")
        self._node.is_down = self._node.hides_receipts = False
        if self._environment.faults.spikes:
            self._restore_fee()

    def _lose_pool(self) -> None:
        self._node.intake.lose_all()

    def _lie(self) -> None:
        self._node.hides_receipts = True
        self._later(self._environment.random.uniform(0.5, 3.5), self._stop_lying)

    def _stop_lying(self) -> None:
        self._node.hides_receipts = False

    def _cause_outage(self) -> None:
        self._node.is_down = True
        self._later(self._environment.random.uniform(0.5, 20.0), self._end_outage)

    def _end_outage(self) -> None:
        self._node.is_down = False

    def _raise_fee(self) -> None:
        self._chain.base_fee = int(BASE_FEE * self._environment.faults.spike)
        self._later(self._environment.random.uniform(1.0, 30.0), self._restore_fee)

    def _restore_fee(self) -> None:
        if self._chain.base_fee is not None:
            self._chain.base_fee = int(BASE_FEE * self._environment.random.choice(_LEVELS))

    def _reorganise(self) -> None:
        environment = self._environment
        depth = environment.random.randint(1, environment.faults.deepest)
        removed = self._chain.reorganise(depth, environment.now)
        environment.note("chain.reorganised", depth=depth, removed=[each.nonce for each in removed])
        if environment.random.random() < 0.3:
            self._node.intake.give_back(removed)

    def _use_nonce(self) -> None:
        """Send a transaction of another program, with the next nonce that the nodes know, or with the mined count."""
        head, random = self._chain.head, self._environment.random
        nonce = self._node.intake.pending(head) if random.random() < 0.7 else head.count
        data = f"stranger {len(self._strangers) + 1}".encode()
        fee, tip = (0, None) if head.base_fee is None else (4 * (self._chain.base_fee or 0), TIP)
        self._environment.note("stranger.sent", nonce=nonce)
        sent = Signed("0x" + data.hex(), nonce, CONTRACT, data, GAS, 0, fee, tip)
        self._strangers.append(sent)
        self._node.take_strangers(sent)

    def _crash(self) -> None:
        if (life := self._life()) is not None:
            life.kill("fault")
