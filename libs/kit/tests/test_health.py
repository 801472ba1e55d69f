"""Health of a process from the states of its components."""

from prometheus_client import REGISTRY
from workerpool_kit.health import Health


def test_process_is_up_while_every_component_is() -> None:
    health = Health()
    health.set("chain", True)
    assert health.snapshot()["status"] == "UP"
    health.set("database", False, host="db:27017")
    assert not health.is_up
    assert health.snapshot() == {
        "status": "OUT_OF_SERVICE",
        "components": {
            "chain": {"status": "UP"},
            "database": {"status": "OUT_OF_SERVICE", "details": {"host": "db:27017"}},
        },
    }


def test_listener_is_called_when_a_status_changes_and_not_for_new_details() -> None:
    calls: list[bool] = []
    health = Health()
    health.on_change(lambda: calls.append(health.is_up))
    health.set("chain", False, block=1)
    health.set("chain", False, block=2)
    health.set("chain", True)
    assert calls == [False, True]


def test_a_metric_shows_each_component() -> None:
    health = Health()
    labels = {"component": "a component of this test"}
    health.set(labels["component"], False)
    assert REGISTRY.get_sample_value("workerpool_component_up", labels) == 0
    health.set(labels["component"], True)
    assert REGISTRY.get_sample_value("workerpool_component_up", labels) == 1
