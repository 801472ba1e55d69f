"""An app may print its allowance at any speed, and its rate all the time."""

from hypothesis import given
from hypothesis import strategies as st
from workerpool_worker.domain.containers.output_rate import OUTPUT_ALLOWANCE_BYTES, OutputAllowance

RATE = 1_000


def test_the_allowance_may_be_printed_at_once() -> None:
    allowance = OutputAllowance(RATE, 0.0)
    allowance.spend(OUTPUT_ALLOWANCE_BYTES, 0.0)
    assert not allowance.is_exceeded
    allowance.spend(1, 0.0)
    assert allowance.is_exceeded


def test_output_beyond_the_allowance_waits_at_the_rate() -> None:
    allowance = OutputAllowance(RATE, 0.0)
    allowance.spend(OUTPUT_ALLOWANCE_BYTES + 10 * RATE, 0.0)
    allowance.spend(0, 9.9)
    assert allowance.is_exceeded
    allowance.spend(0, 10.1)
    assert not allowance.is_exceeded


def test_silence_restores_no_more_than_the_allowance() -> None:
    allowance = OutputAllowance(RATE, 0.0)
    allowance.spend(0, 10**9)
    allowance.spend(OUTPUT_ALLOWANCE_BYTES + 1, 10**9)
    assert allowance.is_exceeded


@given(st.lists(st.tuples(st.floats(0.01, 10), st.floats(0, 1)), max_size=50))
def test_an_app_that_keeps_its_rate_never_waits(steps: list[tuple[float, float]]) -> None:
    now, allowance = 0.0, OutputAllowance(RATE, 0.0)
    for seconds, share in steps:
        now += seconds
        allowance.spend(int(seconds * share * RATE), now)
        assert not allowance.is_exceeded
