"""What the worker measures of its work."""

from prometheus_client import REGISTRY
from workerpool_poco.protocol.causes import SIDES
from workerpool_poco.protocol.statuses import ReplicateStatusCause
from workerpool_worker.adapters.measures import PrometheusMeasures
from workerpool_worker.domain.failures.app_exit import AppExit
from workerpool_worker.domain.failures.stage_causes import CAUSES
from workerpool_worker.domain.stages import Stage


def measured(name: str, **labels: str) -> float:
    """Return the value of a series; 0 before its first sample."""
    return REGISTRY.get_sample_value(f"workerpool_worker_{name}", labels) or 0.0


def test_what_may_happen_is_counted_from_zero() -> None:
    for stage, causes in CAUSES.items():
        for cause in causes:
            labels = {"stage": stage.value, "cause": cause.value, "side": SIDES[cause].value}
            assert REGISTRY.get_sample_value("workerpool_worker_stage_failures_total", labels) is not None
    for outcome in ("pulled", "APP_IMAGE_DOWNLOAD_FAILED", "HOST_NETWORK_UNAVAILABLE"):
        labels = {"outcome": outcome}
        assert REGISTRY.get_sample_value("workerpool_worker_image_pulls_total", labels) is not None


def test_stages_are_measured_by_duration_and_by_cause_and_side_of_failures() -> None:
    measures = PrometheusMeasures()
    seconds = measured("stage_seconds_sum", stage="COMPUTE")
    labels = {"stage": "COMPUTE", "cause": "HOST_FAILED", "side": "worker"}
    failures = measured("stage_failures_total", **labels)
    measures.stage_succeeded(Stage.COMPUTE, 2.5)
    measures.stage_failed(Stage.COMPUTE, ReplicateStatusCause.HOST_FAILED)
    assert measured("stage_seconds_sum", stage="COMPUTE") == seconds + 2.5
    assert measured("stage_failures_total", **labels) == failures + 1


def test_apps_are_counted_by_exit_code_and_what_ended_them() -> None:
    itself = measured("app_exits_total", exit_code="3", ended_by="itself")
    killed = measured("app_exits_total", exit_code="137", ended_by="time limit")
    measures = PrometheusMeasures()
    measures.app_ended(AppExit(3, 1.0))
    measures.app_ended(AppExit(137, 60.0, timed_out=True))
    assert measured("app_exits_total", exit_code="3", ended_by="itself") == itself + 1
    assert measured("app_exits_total", exit_code="137", ended_by="time limit") == killed + 1
