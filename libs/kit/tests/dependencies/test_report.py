"""Health names a dependency at once, the log once per change, and neither shows credentials."""

import pytest
from structlog.testing import capture_logs
from workerpool_kit.clock import FakeClock
from workerpool_kit.dependencies.report import (
    CREDENTIALS,
    WRONG,
    Dependency,
    DependencyProblem,
    DependencyReport,
)
from workerpool_kit.health import Health


class Watched:
    def __init__(self) -> None:
        self.clock, self.health = FakeClock(), Health()
        dependency = Dependency("adapter", "ADAPTER_URL", "http://user:s3cret@adapter:1", "start it")
        self.report = DependencyReport(self.health, dependency, self.clock.now)

    @property
    def state(self) -> dict[str, str]:
        component = self.health.snapshot()["components"]["adapter"]
        return {"status": component["status"], **component.get("details", {})}


def test_a_dependency_is_named_before_its_first_probe() -> None:
    assert Watched().state == {
        "status": "OUT_OF_SERVICE",
        "variable": "ADAPTER_URL",
        "address": "http://***@adapter:1",
        "problem": "not reached yet",
        "kind": "unreachable",
        "next_step": "start it",
    }


def test_a_loss_is_shown_at_once_and_logged_once() -> None:
    watched = Watched()
    with capture_logs() as events:
        watched.report.works()
        assert watched.state["status"] == "UP"
        for _ in range(20):
            watched.report.fails(DependencyProblem("it does not answer at http://user:s3cret@adapter:1"))
            assert watched.state["problem"] == "it does not answer at http://***@adapter:1"
            watched.clock.advance(1)
        watched.report.works()
        watched.report.works()
    assert [event["event"] for event in events] == ["dependency.lost", "dependency.recovered"]
    assert "s3cret" not in str(events) + str(watched.state)
    assert events[0]["variable"] == "ADAPTER_URL"
    assert events[1]["lost_s"] == 20


def test_a_short_restart_is_not_logged() -> None:
    watched = Watched()
    with capture_logs() as events:
        watched.report.fails(DependencyProblem("it does not answer"))
        watched.clock.advance(1)
        watched.report.works()
    assert events == []


@pytest.mark.parametrize("kind", [CREDENTIALS, WRONG])
def test_a_wrong_setting_is_logged_at_once_with_its_own_variable(kind: str) -> None:
    watched = Watched()
    with capture_logs() as events:
        for _ in range(3):
            watched.report.fails(
                DependencyProblem("refused", kind=kind, variable="PASSWORD", next_step="correct it")
            )
    assert [(each["event"], each["variable"], each["next_step"]) for each in events] == [
        ("dependency.lost", "PASSWORD", "correct it")
    ]
    assert watched.state["variable"] == "PASSWORD"


def test_another_kind_of_problem_is_another_line() -> None:
    watched = Watched()
    with capture_logs() as events:
        watched.report.fails(DependencyProblem("refused", kind=CREDENTIALS))
        watched.report.fails(DependencyProblem("another service", kind=WRONG))
        watched.report.fails(DependencyProblem("another service", kind=WRONG))
    assert [each["problem"] for each in events] == ["refused", "another service"]
