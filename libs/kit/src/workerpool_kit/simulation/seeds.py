"""Runs of many seeds on all processors."""

import multiprocessing
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, fields
from typing import Generic, Protocol, TypeVar

Trace = Callable[[float, str, dict[str, object]], None]
"""Receives the seconds since the start, the kind of an occurrence, and its fields."""

_CHUNK = 25
"""Seeds that a process runs at a time; they take about a second."""

Summary_co = TypeVar("Summary_co", covariant=True)
Summary = TypeVar("Summary")


class World(Protocol[Summary_co]):
    """One seed of a simulation."""

    def run(self) -> Summary_co:
        """Run to the end and return a summary. Raises when an invariant is broken."""


class SeedFailed(AssertionError):
    """A seed broke an invariant or made the simulated program fail; the message has the command that replays it."""


@dataclass(slots=True)
class Tally(Generic[Summary]):
    """The results of seeds; a subclass adds counts, which start at zero and can be summed.

    `seconds` is elapsed time, `processor_s` the processor time of all processes. `failure` is empty unless
    `failed_seed` failed; later seeds did not run.
    """

    seeds: int = 0
    processor_s: float = 0.0
    seconds: float = field(default=0.0, metadata={"summed": False})
    failed_seed: int = field(default=0, metadata={"summed": False})
    failure: str = field(default="", metadata={"summed": False})

    def count(self, summary: Summary) -> None:
        """Add what one seed did."""
        raise NotImplementedError

    def add(self, other: "Tally[Summary]") -> None:
        """Add the results of other seeds."""
        for each in fields(self):
            if each.metadata.get("summed", True):
                setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))

    def speed(self) -> str:
        """Return the number of seeds, their time and their rate."""
        return f"{self.seeds} seeds in {self.seconds:.1f} s: {self.seeds / self.seconds:.1f} seeds/s"


TallyOf = TypeVar("TallyOf", bound=Tally)  # type: ignore[type-arg]


def unprepared() -> None:
    """Prepare nothing."""


@dataclass(frozen=True, slots=True)
class Simulation(Generic[TallyOf]):
    """How to run the seeds of one simulation. Other processes import `world`, `tally` and `prepare` by their names."""

    world: Callable[[int, Trace | None], World[object]]
    """Builds the world of a seed."""
    tally: Callable[[], TallyOf]
    """Returns a tally without results."""
    replay: str
    """Command that replays a seed, with `{seed}`."""
    prepare: Callable[[], None] = unprepared
    """Prepares a process before its first seed."""

    def run(self, first: int, count: int) -> TallyOf:
        """Run seeds on all processors. Raises SeedFailed for the first one that fails."""
        started = time.monotonic()
        end = first + count
        chunks = [range(start, min(start + _CHUNK, end)) for start in range(first, end, _CHUNK)]
        total = self.tally()
        # A forked process would inherit the threads of the caller.
        context = multiprocessing.get_context("spawn")
        processors = len(os.sched_getaffinity(0))
        with ProcessPoolExecutor(processors, mp_context=context, initializer=self.prepare) as pool:
            for tally in pool.map(self.run_chunk, chunks):
                if tally.failure:
                    pool.shutdown(wait=False, cancel_futures=True)
                    replay = self.replay.format(seed=tally.failed_seed)
                    raise SeedFailed(f"seed {tally.failed_seed} fails: {tally.failure}\nreplay it: {replay}")
                total.add(tally)
        total.seconds = time.monotonic() - started
        return total

    def run_chunk(self, seeds: range) -> TallyOf:
        """Run seeds in this process until one fails."""
        tally = self.tally()
        started = time.process_time()
        for seed in seeds:
            try:
                summary = self.world(seed, None).run()
            except Exception as error:
                tally.failed_seed, tally.failure = seed, f"{type(error).__name__}: {error}"
                return tally
            tally.seeds += 1
            tally.count(summary)
        tally.processor_s = time.process_time() - started
        return tally
