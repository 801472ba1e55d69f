"""The transaction pipeline holds its invariants under every seed."""

from collections.abc import Callable

import pytest
from workerpool_transactions.simulation.seeds import SIMULATION

LONGEST_S = 120
"""Processor time of 2,000 seeds, so that a busy machine does not fail the test; an idle one needs about a third."""


def test_the_first_200_seeds_violate_no_invariant() -> None:
    tally = SIMULATION.run(first=1, count=200)
    assert tally.seeds == 200
    assert tally.mined > 1_000
    assert tally.lives > 400
    assert set(tally.shapes) == {"mempool", "sequencer", "free"}


@pytest.mark.full
def test_2_000_seeds_violate_no_invariant(record_property: Callable[[str, object], None]) -> None:
    tally = SIMULATION.run(first=1, count=2_000)
    record_property("figure", f"simulation of transactions: {tally}")
    assert tally.seeds == 2_000
    assert tally.processor_s < LONGEST_S
