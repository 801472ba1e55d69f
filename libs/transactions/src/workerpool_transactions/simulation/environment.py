"""The surroundings of a seed: chance, faults, the shape of the chain, and the trace."""

import asyncio
from random import Random

from workerpool_kit.simulation.seeds import Trace

from workerpool_transactions.domain.profile import Shape
from workerpool_transactions.simulation.faults import faults_of


class Environment:
    """The surroundings of one seed. Faults occur until `faults_end`, in seconds of the loop."""

    def __init__(self, seed: int, trace: Trace | None) -> None:
        self._trace = trace
        self.random = random = Random(seed)
        self.shape = random.choice(
            (Shape.MEMPOOL, Shape.MEMPOOL, Shape.SEQUENCER, Shape.SEQUENCER, Shape.FREE)
        )
        self.faults = faults_of(random, self.shape)
        self.faults_end = random.uniform(10.0, 60.0)
        fast = self.shape is Shape.SEQUENCER
        self.block_time_s = 0.25 if fast else random.choice((1.0, 2.0, 5.0))
        self.latency_s = random.choice((0.01, 0.05, 0.2))
        """Most seconds that one request takes."""
        self.failure: Exception | None = None
        """What ends the seed."""

    @property
    def now(self) -> float:
        """Seconds since the start."""
        return asyncio.get_running_loop().time()

    @property
    def has_faults(self) -> bool:
        """Whether faults may occur now."""
        return self.now < self.faults_end

    @property
    def lag_s(self) -> float:
        """Seconds by which a back-end that lags is behind."""
        return self.faults.lag_blocks * self.block_time_s

    def latency(self) -> float:
        """Return the seconds that one request takes."""
        return self.random.uniform(0.2, 1.0) * self.latency_s

    def happens(self, chance: float) -> bool:
        """Draw whether a fault occurs."""
        return chance > 0 and self.has_faults and self.random.random() < chance

    def note(self, what: str, /, **fields: object) -> None:
        """Trace an occurrence."""
        if self._trace is not None:
            self._trace(self.now, what, fields)

    def fail(self, error: Exception) -> None:
        """End the seed with an error; the first one counts."""
        if self.failure is None:
            self.failure = error
