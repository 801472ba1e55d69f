"""The schedule of heartbeats."""

import pytest
from workerpool_kit.heartbeats import heartbeat_phase, until_heartbeat

PERIOD_S = 10.0


def test_heartbeats_of_many_workers_are_due_at_quarters_of_a_second() -> None:
    moments = set()
    for worker in range(1_000):
        now = 1_700_000_000.123 + worker * 0.0137
        beat = now + until_heartbeat(now, PERIOD_S, heartbeat_phase(PERIOD_S))
        moments.add(round(beat % PERIOD_S, 3) % PERIOD_S)
    assert len(moments) == 40
    assert all(moment * 4 == int(moment * 4) for moment in moments)


@pytest.mark.parametrize("early", [-0.01, 0.0, 0.01])
def test_early_or_late_timer_causes_no_second_heartbeat_and_no_gap(early: float) -> None:
    beat = 1_700_000_002.5
    assert until_heartbeat(beat - early, PERIOD_S, 2.5) == pytest.approx(PERIOD_S + early)


def test_period_shorter_than_the_grid_has_a_phase() -> None:
    assert heartbeat_phase(0.1) == 0
    assert 0 < until_heartbeat(1_700_000_000.03, 0.1, 0) <= 0.1 * 1.05
