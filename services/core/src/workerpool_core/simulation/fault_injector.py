"""The injection of recurring faults in a seed."""

from collections.abc import Callable
from itertools import cycle

from workerpool_core.domain import events as e
from workerpool_core.simulation.chain.hub import Transaction
from workerpool_core.simulation.core.process import Core
from workerpool_core.simulation.environment import Environment
from workerpool_core.simulation.fleet import Fleet

_Pause = Callable[[str, float], e.Event]
_THIRD_PARTY_TASKS = 6
"""Tasks for which a third party sends transactions at a time."""


class FaultInjector:
    """The cause of faults, at their rates, until the environment's `faults_end`."""

    def __init__(
        self, environment: Environment, core: Core, fleet: Fleet, follow: Callable[[], None]
    ) -> None:
        """Create it; `follow` makes core follow new blocks."""
        self._environment = environment
        self._core = core
        self._fleet = fleet
        self._follow = follow
        pauses: tuple[_Pause, ...] = (e.WorkerDrained, e.WorkerQuarantined)
        self._pauses = cycle(pauses)

    def start(self) -> None:
        """Schedule the first occurrence of every fault."""
        faults = self._environment.faults
        for call, rate in (
            (self._crash_core, faults.core_crashes),
            (self._disconnect_worker, faults.disconnections),
            (self._crash_worker, faults.worker_crashes),
            (self._reorganise, faults.reorganisations),
            (self._cause_outage, faults.outages),
            (self._pause_worker, faults.drains),
            (self._send_third_party_transactions, faults.third_parties),
        ):
            if rate:
                self._recur(call, rate)

    def _recur(self, call: Callable[[], None], rate: float) -> None:
        clock = self._environment.clock

        def again() -> None:
            if clock.now < self._environment.faults_end:
                call()
                self._recur(call, rate)

        clock.later(self._environment.random.expovariate(rate), again)

    def _crash_core(self) -> None:
        if self._core.alive:
            self._core.crash()
            self._environment.clock.later(self._environment.random.uniform(0.5, 15.0), self._core.start)

    def _disconnect_worker(self) -> None:
        environment = self._environment
        worker = self._fleet.choose()
        longest = environment.faults.longest_disconnection_s
        worker.blocked_until = environment.clock.now + environment.random.uniform(0.0, longest)
        self._fleet.disconnect(worker.wallet)

    def _crash_worker(self) -> None:
        environment = self._environment
        worker = self._fleet.choose()
        if worker.running:
            self._fleet.crash(worker, wiped=environment.happens(environment.faults.wiped_disk))
            delay = environment.random.uniform(0.5, environment.faults.longest_disconnection_s)
            environment.clock.later(delay, worker.start)

    def _reorganise(self) -> None:
        chain = self._environment.chain
        depth = self._environment.random.choice((1, 1, 2, 3, 6, 64))
        self._environment.note("chain.reorganised", depth=depth)
        length = len(chain.blocks)
        chain.reorganise(depth)
        # The new branch replaces the old one because it is longer.
        while len(chain.blocks) <= length:
            chain.mine()
        self._follow()

    def _cause_outage(self) -> None:
        environment = self._environment
        if environment.random.random() < 0.5:
            environment.adapter.stop()
            environment.clock.later(environment.random.uniform(1, 20), self._restore_adapter)
        else:
            environment.chain.down = True
            self._core.submit(e.ChainHealthChanged(False))
            environment.clock.later(environment.random.uniform(1, 20), self._restore_node)

    def _restore_adapter(self) -> None:
        self._environment.adapter.down = False

    def _restore_node(self) -> None:
        self._environment.chain.down = False
        self._core.submit(e.ChainHealthChanged(True))
        self._core.follow()

    def _pause_worker(self) -> None:
        """Drain or quarantine a worker, in turn, as an operator."""
        until = self._environment.clock.now + self._environment.random.uniform(1, 60)
        pause = next(self._pauses)
        self._core.submit(pause(self._fleet.choose().wallet, until))

    def _send_third_party_transactions(self) -> None:
        """Send the transactions that the hub accepts from any account."""
        names = list(self._environment.terms)
        for name in self._environment.random.sample(names, min(len(names), _THIRD_PARTY_TASKS)):
            kind = self._environment.random.choice(("initialize", "claim"))
            self._environment.chain.send(Transaction(kind, name, "0xThirdParty"))
