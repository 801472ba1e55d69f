"""A name is taken over from an older container of the same worker, and never from another worker."""

from typing import Any

import pytest
from docker import errors
from workerpool_worker.adapters.docker.container_config import WORKER_LABEL
from workerpool_worker.adapters.docker.named_containers import create_named, remove_one

OWN, OTHER = "0xOwn", "0xOther"


class Names:
    """The names of an engine's containers, with the worker of each."""

    def __init__(self, **workers: str) -> None:
        self.workers = workers

    def create_container(self, name: str) -> dict[str, str]:
        if name in self.workers:
            raise refusal(409)
        self.workers[name] = OWN
        return {"Id": f"id of {name}"}

    def inspect_container(self, name: str) -> dict[str, Any]:
        return {"Config": {"Labels": {WORKER_LABEL: self.workers[name]}}}

    def remove_container(self, name: str, **_: bool) -> None:
        del self.workers[name]


def refusal(status: int) -> errors.APIError:
    response = type("Response", (), {"status_code": status, "reason": ""})()
    kind = errors.NotFound if status == 404 else errors.APIError
    return kind("refused", response=response, explanation="refused")


def created(names: Names) -> str:
    return create_named(names, OWN, "app", {"name": "app"})


@pytest.mark.parametrize("before", [{}, {"app": OWN}], ids=["free", "of an earlier attempt"])
def test_a_name_is_free_or_of_the_worker_itself(before: dict[str, str]) -> None:
    names = Names(**before)
    assert created(names) == "id of app"
    assert names.workers == {"app": OWN}


def test_another_workers_container_keeps_its_name() -> None:
    names = Names(app=OTHER)
    assert created(names) == "id of app-Own"
    assert names.workers == {"app": OTHER, "app-Own": OWN}


class Removals:
    """An engine that answers a removal with a status."""

    def __init__(self, status: int) -> None:
        self.status = status

    def remove_container(self, *_: str, **__: bool) -> None:
        raise refusal(self.status)


@pytest.mark.parametrize("status", [404, 409], ids=["gone", "being removed"])
def test_a_container_that_goes_anyway_is_removed(status: int) -> None:
    remove_one(Removals(status), "ab" * 32)


def test_a_refused_removal_is_reported() -> None:
    with pytest.raises(errors.APIError):
        remove_one(Removals(500), "ab" * 32)
