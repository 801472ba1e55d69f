"""The scheduler holds under every seed that CI has the time for."""

import pytest
from workerpool_core.simulation import seeds
from workerpool_core.simulation.seeds import SeedFailed, run
from workerpool_core.simulation.world import World

SEEDS = 2_000
LONGEST_S = 180


def test_two_thousand_seeds_break_nothing_within_three_minutes(record_property):
    tally = run(first=1, count=SEEDS)
    record_property("figure", f"simulation: {tally}")
    assert tally.seeds == SEEDS
    assert tally.completed > SEEDS
    assert tally.seconds < LONGEST_S


class FromSeed3:
    """A world in which something is wrong from the third seed on."""

    def __init__(self, seed):
        self.seed = seed

    def run(self):
        assert self.seed < 3, "broken"
        return World(self.seed).run()


class Inline:
    """A pool of no processes, so that the patched world is the one that runs."""

    def __init__(self, *_, **__): ...
    def __enter__(self):
        return self

    def __exit__(self, *_): ...
    def shutdown(self, **_): ...

    map = staticmethod(map)


def test_the_first_seed_that_fails_is_named_with_the_command_that_replays_it(monkeypatch):
    monkeypatch.setattr(seeds, "World", FromSeed3)
    monkeypatch.setattr(seeds, "ProcessPoolExecutor", Inline)
    with pytest.raises(SeedFailed, match=r"seed 3 fails: AssertionError: broken[^$]*make simulate SEED=3$"):
        run(first=1, count=100)
