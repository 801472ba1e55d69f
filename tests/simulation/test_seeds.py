"""The scheduler holds its invariants under 2,000 seeds."""

from collections.abc import Callable

from workerpool_core.simulation.seeds import SIMULATION

SEEDS = 2_000
LONGEST_S = 180
"""Processor time, so that a busy machine does not fail the test; an idle one needs about a third."""


def test_2_000_seeds_violate_no_invariant_within_three_minutes_of_processor_time(
    record_property: Callable[[str, object], None],
) -> None:
    tally = SIMULATION.run(first=1, count=SEEDS)
    record_property("figure", f"simulation: {tally}")
    assert tally.seeds == SEEDS
    assert tally.completed > SEEDS
    assert tally.processor_s < LONGEST_S
