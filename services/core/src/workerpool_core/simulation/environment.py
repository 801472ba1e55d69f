"""The environment of core and the workers in a seed: time, randomness, faults, chain, adapter and archives."""

from random import Random

from workerpool_kit.simulation.seeds import Trace
from workerpool_poco.protocol.ids import TaskId

from workerpool_core.domain.model import DealTerms
from workerpool_core.simulation.behaviours import AppBehaviour, WorkerBehaviour
from workerpool_core.simulation.chain.adapter import Adapter
from workerpool_core.simulation.chain.chain import Chain
from workerpool_core.simulation.clock import Clock
from workerpool_core.simulation.deals import tasks_of
from workerpool_core.simulation.faults import faults_of

START = 1_700_000_000.0


class Environment:
    """The environment of one seed.

    Faults occur until `faults_end` (Unix seconds). `behaviours` are those of the workers that are not honest,
    by wallet, and `apps` those of the apps that are not good, by task. `archives` are the tasks whose result the result
    proxy stores.
    """

    def __init__(self, seed: int, trace: Trace | None) -> None:
        self._trace = trace
        self.random = Random(seed)
        self.clock = Clock(START)
        self.faults = faults_of(self.random)
        self.faults_end = float("inf")
        self.behaviours: dict[str, WorkerBehaviour] = {}
        self.apps: dict[TaskId, AppBehaviour] = {}
        self.silent_wallet = ""
        self.archives: set[str] = set()
        self.terms: dict[TaskId, DealTerms] = {}
        self.chain = Chain(self.clock, self.random, self._create_tasks)
        self.adapter = Adapter(self.clock, self.random, self.chain)

    @property
    def is_traced(self) -> bool:
        """Whether events are traced."""
        return self._trace is not None

    def note(self, what: str, /, **fields: object) -> None:
        """Trace an event."""
        if self._trace is not None:
            self._trace(self.clock.now - START, what, fields)

    def happens(self, chance: float) -> bool:
        """Draw whether a fault occurs."""
        return chance > 0 and self.clock.now < self.faults_end and self.random.random() < chance

    def stage_fails(self, wallet: str) -> bool:
        """Draw whether a stage of a worker's replicate fails."""
        return self.behaviour(wallet) is WorkerBehaviour.BROKEN or self.happens(self.faults.failing_stage)

    def is_honest(self, wallet: str) -> bool:
        """Return whether a worker makes no false reports in this seed."""
        honest = self.behaviour(wallet) is WorkerBehaviour.HONEST and wallet != self.silent_wallet
        return honest and not self.faults.false_report

    def behaviour(self, wallet: str) -> WorkerBehaviour:
        """Return the behaviour of a worker."""
        return self.behaviours.get(wallet, WorkerBehaviour.HONEST)

    def app(self, task_id: TaskId) -> AppBehaviour:
        """Return the behaviour of the app of a task."""
        return self.apps.get(task_id, AppBehaviour.GOOD)

    def _create_tasks(self, terms: DealTerms) -> list[TaskId]:
        names = tasks_of(terms)
        for name in names:
            self.terms.setdefault(name, terms)
        return names
