"""Which errors a stage retries."""

import pytest
from workerpool_worker.app.stage_retries import TRANSIENT, retryable
from workerpool_worker.domain import outages
from workerpool_worker.domain.stages import Stage
from workerpool_worker.errors import EngineRefused, HostDeviceUnavailable, RuntimeUnavailable

from services.worker.tests.harness.context import unexpected


@pytest.mark.parametrize("kind", TRANSIENT)
def test_transient_errors_are_retried(kind: type[Exception]) -> None:
    assert retryable(Stage.COMPUTE, unexpected)(kind("away"))


@pytest.mark.parametrize(
    "error", [EngineRefused("no"), HostDeviceUnavailable("held by others"), OSError(5, "disk")]
)
def test_other_errors_end_the_stage(error: Exception) -> None:
    assert not retryable(Stage.COMPUTE, unexpected)(error)


def test_a_lost_runtime_is_reported_immediately_and_retried_briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    accepts = retryable(Stage.COMPUTE, told.append)
    assert accepts(RuntimeUnavailable("no driver"))
    assert told == ["no driver"]
    monkeypatch.setattr(outages, "EARLY_LIMIT_S", 0.0)
    assert not accepts(RuntimeUnavailable("no driver"))
    assert told == ["no driver"] * 2
