"""Which troubles of a host park it."""

from typing import Any

import pytest
from workerpool_worker.domain.host_guard import refusal_of


def down(**details: str) -> dict[str, Any]:
    return {"status": "OUT_OF_SERVICE", "details": details}


@pytest.mark.parametrize(
    "component",
    [
        *("docker", "runtime", "disk", "memory", "workspace", "base_folder", "app_network", "journal"),
        *("clock", "internet"),
    ],
)
def test_a_host_that_cannot_run_apps_parks_with_the_reason(component: str) -> None:
    told = refusal_of(
        {component: down(problem="it is full", next_step="free space"), "core": {"status": "UP"}}
    )
    assert told == f"{component}: it is full (free space)"


@pytest.mark.parametrize("component", ["core", "chain", "proxy", "wallet"])
def test_failures_of_others_do_not_park_the_host(component: str) -> None:
    assert refusal_of({component: down(problem="it is away")}) == ""


def test_a_pending_check_does_not_park_the_host() -> None:
    assert refusal_of({"docker": down(problem="not reached yet")}) == ""
    assert refusal_of({}) == ""
    assert refusal_of({"app_network": down(error="the rules are lost")}) == "app_network: the rules are lost"
