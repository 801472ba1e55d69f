"""Runs of many seeds on all processors."""

import multiprocessing
import os
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from workerpool_core.simulation.world import World

_CHUNK = 25
"""Seeds that a process runs at a time; they take about a second."""


class SeedFailed(AssertionError):
    """A seed broke an invariant or made the scheduler fail; the message has the command that replays it."""


@dataclass(slots=True)
class Tally:
    """The results of seeds. `failure` is empty unless `failed_seed` failed; later seeds did not run.

    `seconds` is elapsed time, `processor_s` the processor time of all processes.
    """

    seeds: int = 0
    events: int = 0
    completed: int = 0
    failed: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    processor_s: float = 0.0
    failed_seed: int = 0
    failure: str = ""

    def add(self, other: "Tally") -> None:
        """Add the results of other seeds."""
        self.seeds += other.seeds
        self.events += other.events
        self.completed += other.completed
        self.failed += other.failed
        self.kinds += other.kinds
        self.processor_s += other.processor_s

    def __str__(self) -> str:
        return (
            f"{self.seeds} seeds in {self.seconds:.1f} s: {self.seeds / self.seconds:.1f} seeds/s, "
            f"{self.events / self.seconds:,.0f} events/s; {dict(self.kinds)}; "
            f"tasks completed {self.completed}, failed {self.failed}"
        )


def run(first: int, count: int) -> Tally:
    """Run seeds on all processors. Raises SeedFailed for the first one that fails."""
    started = time.monotonic()
    end = first + count
    chunks = [range(start, min(start + _CHUNK, end)) for start in range(first, end, _CHUNK)]
    total = Tally()
    # A forked process would inherit the threads of the caller.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(os.sched_getaffinity(0)), mp_context=context) as pool:
        for tally in pool.map(_run_chunk, chunks):
            if tally.failure:
                pool.shutdown(wait=False, cancel_futures=True)
                raise SeedFailed(
                    f"seed {tally.failed_seed} fails: {tally.failure}\n"
                    f"replay it: make simulate SEED={tally.failed_seed}"
                )
            total.add(tally)
    total.seconds = time.monotonic() - started
    return total


def _run_chunk(seeds: range) -> Tally:
    tally = Tally()
    started = time.process_time()
    for seed in seeds:
        try:
            summary = World(seed).run()
        except Exception as error:
            tally.failed_seed, tally.failure = seed, f"{type(error).__name__}: {error}"
            return tally
        tally.seeds += 1
        tally.events += summary.events
        tally.completed += summary.completed
        tally.failed += summary.failed
        tally.kinds[summary.kind] += 1
    tally.processor_s = time.process_time() - started
    return tally
