"""Seeds run on all processors, are summed, and the first that fails is named."""

from collections import Counter
from dataclasses import dataclass, field

import pytest
from workerpool_kit.simulation.command_line import main
from workerpool_kit.simulation.seeds import SeedFailed, Simulation, Tally, Trace

REPLAY = "make simulate SEED={seed}"


class Even:
    """A world whose summary is whether its seed is even."""

    def __init__(self, seed: int, trace: Trace | None = None) -> None:
        self.seed = seed
        self._trace = trace

    def run(self) -> bool:
        if self._trace is not None:
            self._trace(1.5, "block", {"number": self.seed})
        return self.seed % 2 == 0


class FailingFromSeed30(Even):
    """A world that breaks an invariant from seed 30 on."""

    def run(self) -> bool:
        assert self.seed < 30, "broken"
        return super().run()


@dataclass(slots=True)
class Evens(Tally[bool]):
    """Counts even seeds."""

    even: int = 0
    kinds: Counter[bool] = field(default_factory=Counter)

    def count(self, summary: bool) -> None:
        self.even += summary
        self.kinds[summary] += 1

    def __str__(self) -> str:
        return f"{self.seeds} seeds, {self.even} even"


def test_the_results_of_all_processes_are_summed() -> None:
    tally = Simulation(Even, Evens, REPLAY).run(first=1, count=60)
    assert (tally.seeds, tally.even, tally.kinds) == (60, 30, {True: 30, False: 30})
    assert tally.processor_s > 0
    assert tally.speed().startswith("60 seeds in ")


def test_the_first_failing_seed_is_named_with_the_command_that_replays_it() -> None:
    with pytest.raises(
        SeedFailed, match=r"^seed 30 fails: AssertionError: broken[^$]*make simulate SEED=30$"
    ):
        Simulation(FailingFromSeed30, Evens, REPLAY).run(first=1, count=100)


@pytest.mark.parametrize(
    ("world", "arguments", "code", "output"),
    [
        (Even, ["--seeds", "4", "--first", "2"], 0, "4 seeds, 2 even\n"),
        (Even, ["--seed", "7"], 0, "    1.500 block          number=7\nFalse\n"),
        (FailingFromSeed30, ["--seed", "31"], 1, ""),
        (FailingFromSeed30, ["--seeds", "1", "--first", "40"], 1, "seed 40 fails: AssertionError: broken"),
    ],
)
def test_the_command_line_runs_many_seeds_or_traces_one(
    capsys: pytest.CaptureFixture[str], world: type[Even], arguments: list[str], code: int, output: str
) -> None:
    assert main(Simulation(world, Evens, REPLAY), "simulate", "Run it", arguments) == code
    printed = capsys.readouterr()
    assert output in printed.out
    assert ("broken" in printed.err) == (code == 1 and "--seed" in arguments)
