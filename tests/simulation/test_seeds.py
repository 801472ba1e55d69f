"""The scheduler holds its invariants under 2,000 seeds."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from workerpool_core.simulation import seeds
from workerpool_core.simulation.seeds import SeedFailed, Tally, run
from workerpool_core.simulation.world import Summary, World

SEEDS = 2_000
LONGEST_S = 180
"""Processor time, so that a busy machine does not fail the test; an idle one needs about a third."""


def test_2_000_seeds_violate_no_invariant_within_three_minutes_of_processor_time(
    record_property: Callable[[str, object], None],
) -> None:
    tally = run(first=1, count=SEEDS)
    record_property("figure", f"simulation: {tally}")
    assert tally.seeds == SEEDS
    assert tally.completed > SEEDS
    assert tally.processor_s < LONGEST_S


class FailingFromSeed3:
    """A world that fails from the third seed on."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def run(self) -> Summary:
        assert self.seed < 3, "broken"
        return World(self.seed).run()


class InlineExecutor:
    """An executor without processes, so that the patched world runs."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def __enter__(self) -> "InlineExecutor":
        return self

    def __exit__(self, *_: object) -> None: ...

    def shutdown(self, **_: Any) -> None: ...

    @staticmethod
    def map(function: Callable[[range], Tally], chunks: Iterable[range]) -> Iterable[Tally]:
        return map(function, chunks)


def test_the_first_failing_seed_is_named_with_the_command_that_replays_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(seeds, "World", FailingFromSeed3)
    monkeypatch.setattr(seeds, "ProcessPoolExecutor", InlineExecutor)
    with pytest.raises(SeedFailed, match=r"seed 3 fails: AssertionError: broken[^$]*make simulate SEED=3$"):
        run(first=1, count=100)
