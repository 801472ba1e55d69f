"""A stage waits for the engine as long as the wait can save work."""

import pytest
from workerpool_worker.domain.outages import COMPUTE_LIMIT_S, EARLY_LIMIT_S, WORKING_S, EngineOutage
from workerpool_worker.domain.stages import Stage


@pytest.mark.parametrize(
    ("stage", "limit_s"),
    [
        (Stage.START, EARLY_LIMIT_S),
        (Stage.DOWNLOAD_APP, EARLY_LIMIT_S),
        (Stage.DOWNLOAD_DATA, EARLY_LIMIT_S),
        (Stage.COMPUTE, COMPUTE_LIMIT_S),
    ],
)
def test_an_outage_is_waited_for_up_to_a_limit(stage: Stage, limit_s: float) -> None:
    outage = EngineOutage(stage, 0.0)
    assert outage.allows_retry(1.0, engine_failed=True)
    assert outage.allows_retry(0.9 + limit_s, engine_failed=True)
    assert not outage.allows_retry(1.0 + limit_s, engine_failed=True)


def test_an_app_that_cannot_have_run_is_not_waited_for_long() -> None:
    outage = EngineOutage(Stage.COMPUTE, 0.0)
    assert outage.allows_retry(1.0, engine_failed=True, never_ran=True)
    assert not outage.allows_retry(1.0 + EARLY_LIMIT_S, engine_failed=True, never_ran=True)


def test_another_error_shows_that_the_engine_answers() -> None:
    outage = EngineOutage(Stage.COMPUTE, 0.0)
    assert outage.allows_retry(1.0, engine_failed=True)
    assert outage.allows_retry(COMPUTE_LIMIT_S, engine_failed=False)
    assert outage.allows_retry(COMPUTE_LIMIT_S + 2.0, engine_failed=True)


def test_an_attempt_that_took_long_had_a_working_engine() -> None:
    outage = EngineOutage(Stage.COMPUTE, 0.0)
    assert outage.allows_retry(1.0, engine_failed=True)
    assert outage.allows_retry(2.0 + WORKING_S, engine_failed=True)
    assert not outage.allows_retry(2.0 + WORKING_S + COMPUTE_LIMIT_S, engine_failed=True)
