"""The totals over the seeds of the scheduler's simulation."""

from collections import Counter
from dataclasses import dataclass, field

from workerpool_kit.simulation.seeds import Simulation, Tally

from workerpool_core.simulation.world import Summary, World


@dataclass(slots=True)
class SchedulerTally(Tally[Summary]):
    """Events, and tasks by their end; `kinds` counts the seeds of each kind."""

    events: int = 0
    completed: int = 0
    failed: int = 0
    kinds: Counter[str] = field(default_factory=Counter)

    def count(self, summary: Summary) -> None:
        """Add the summary of one seed."""
        self.events += summary.events
        self.completed += summary.completed
        self.failed += summary.failed
        self.kinds[summary.kind] += 1

    def __str__(self) -> str:
        return (
            f"{self.speed()}, {self.events / self.seconds:,.0f} events/s; {dict(self.kinds)}; "
            f"tasks completed {self.completed}, failed {self.failed}"
        )


SIMULATION = Simulation(World, SchedulerTally, replay="make simulate SEED={seed}")
"""The scheduler between a simulated chain and simulated workers."""
