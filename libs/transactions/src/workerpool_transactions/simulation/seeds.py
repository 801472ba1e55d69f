"""What the seeds of the simulation of transactions add up to."""

from collections import Counter
from dataclasses import dataclass, field

import structlog
from workerpool_kit.simulation.seeds import Simulation, Tally

from workerpool_transactions.simulation.world import Summary, World


@dataclass(slots=True)
class TransactionTally(Tally[Summary]):
    """Calls, transactions and lives of the wallet. `shapes` counts the seeds of each kind of chain.

    `virtual_s` is simulated time, `calls` are the calls to the node.
    """

    virtual_s: float = 0.0
    calls: int = 0
    jobs: int = 0
    mined: int = 0
    lives: int = 0
    fillers: int = 0
    shapes: Counter[str] = field(default_factory=Counter)

    def count(self, summary: Summary) -> None:
        """Add what one seed did."""
        self.virtual_s += summary.seconds
        self.calls += summary.calls
        self.jobs += summary.jobs
        self.mined += summary.mined
        self.lives += summary.lives
        self.fillers += summary.fillers
        self.shapes[summary.shape] += 1

    def __str__(self) -> str:
        return (
            f"{self.speed()}, {self.virtual_s / 3600:.1f} simulated hours, {self.calls:,} calls to the node; "
            f"{dict(self.shapes)}; {self.jobs} calls, {self.mined} transactions, {self.fillers} fillers, "
            f"{self.lives} lives"
        )


def silence() -> None:
    """Drop the pipeline's log events, which cost more than its decisions."""
    structlog.configure(processors=[_drop], cache_logger_on_first_use=False)


def _drop(logger: object, method: str, event: object) -> str:
    raise structlog.DropEvent


SIMULATION = Simulation(
    World, TransactionTally, replay="make simulate-transactions SEED={seed}", prepare=silence
)
"""One wallet's pipeline between a simulated node and simulated callers."""
