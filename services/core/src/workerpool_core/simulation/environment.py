"""The surroundings of core and the workers in a seed: time, chance, faults, chain, adapter and stored archives."""

from collections.abc import Callable
from random import Random

from workerpool_poco.protocol.ids import TaskId

from workerpool_core.domain.model import DealTerms
from workerpool_core.simulation.chain.adapter import Adapter
from workerpool_core.simulation.chain.chain import Chain
from workerpool_core.simulation.clock import Clock
from workerpool_core.simulation.deals import tasks_of
from workerpool_core.simulation.faults import faults_of

START = 1_700_000_000.0
Trace = Callable[[float, str, dict[str, object]], None]
"""Receives the seconds since the start, the kind of an occurrence, and its fields."""


class Environment:
    """The surroundings of one seed.

    Faults occur until `faults_end` (Unix seconds). `archives` are the tasks whose result the result proxy holds.
    """

    def __init__(self, seed: int, trace: Trace | None) -> None:
        self._trace = trace
        self.random = Random(seed)
        self.clock = Clock(START)
        self.faults = faults_of(self.random)
        self.faults_end = float("inf")
        self.faulty_wallet = ""
        self.archives: set[str] = set()
        self.terms: dict[TaskId, DealTerms] = {}
        self.chain = Chain(self.clock, self.random, self._create_tasks)
        self.adapter = Adapter(self.clock, self.random, self.chain)

    @property
    def is_traced(self) -> bool:
        """Whether occurrences are traced."""
        return self._trace is not None

    def note(self, what: str, /, **fields: object) -> None:
        """Trace an occurrence."""
        if self._trace is not None:
            self._trace(self.clock.now - START, what, fields)

    def happens(self, chance: float) -> bool:
        """Draw whether a fault occurs."""
        return chance > 0 and self.clock.now < self.faults_end and self.random.random() < chance

    def stage_fails(self, wallet: str) -> bool:
        """Draw whether a stage of a worker's replicate fails."""
        return wallet == self.faulty_wallet or self.happens(self.faults.failing_stage)

    def _create_tasks(self, terms: DealTerms) -> list[TaskId]:
        names = tasks_of(terms)
        for name in names:
            self.terms.setdefault(name, terms)
        return names
