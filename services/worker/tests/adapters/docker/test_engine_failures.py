"""Calls that the engine fails: an outage of the host, never a failure of the app, and no impossible figures."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from workerpool_worker.adapters.docker.container_config import WORKER_LABEL
from workerpool_worker.adapters.docker.engine import DockerEngine
from workerpool_worker.app.ports import ContainerPlan
from workerpool_worker.domain.host import SlotLimits
from workerpool_worker.errors import DockerUnavailable, SandboxLost

from services.worker.tests.doubles.stored_engine import StoredEngine, running_engine
from services.worker.tests.harness.builders import TASK_ID, WORKER

CONTAINER = "ab" * 32
CREATE, START = "POST /containers/create", f"POST /containers/{CONTAINER}/start"
WAIT, KILL = f"POST /containers/{CONTAINER}/wait", f"POST /containers/{CONTAINER}/kill"
INSPECT, REMOVE = f"GET /containers/{CONTAINER}/json", f"DELETE /containers/{CONTAINER}"
DUPLICATE = "GET /containers/worker-of-tests/json"
FAILURE = (500, "the engine failed")


def described(status: str, **state: Any) -> dict[str, Any]:
    """Return the engine's description of a container."""
    known = {"Status": status, "Pid": 0, "ExitCode": 3, "OOMKilled": False}
    times = {"StartedAt": "2026-01-01T00:00:10Z", "FinishedAt": "2026-01-01T00:00:12Z"}
    return {
        "State": known | times | state,
        "HostConfig": {"Runtime": "runc"},
        "Mounts": [],
        "GraphDriver": {"Data": None},
    }


@pytest.fixture
async def api() -> AsyncIterator[StoredEngine]:
    """An engine with a container that runs and ends well."""
    async with running_engine() as api:
        api.documents = {
            CREATE: {"Id": CONTAINER},
            START: {},
            KILL: {},
            WAIT: {"StatusCode": 3},
            INSPECT: described("exited"),
            "GET /info": {"SystemTime": "2026-01-01T00:00:12Z"},
            "GET /events": [],
            DUPLICATE: {"Config": {"Labels": {WORKER_LABEL: WORKER}}},
        }
        api.container(CONTAINER, workerpool_worker=WORKER, workerpool_task=TASK_ID)
        yield api


@pytest.fixture
async def engine(api: StoredEngine) -> AsyncIterator[DockerEngine]:
    engine = DockerEngine(WORKER, base_url=api.url)
    yield engine
    engine.close()


def plan(folder: Path) -> ContainerPlan:
    binds = {folder: ("/iexec_out", False)}
    return ContainerPlan(TASK_ID, "worker-of-tests", "app:1", (), {}, binds, SlotLimits(1.0, 64 << 20, 64))


async def test_without_a_failure_the_container_runs_and_is_removed(
    engine: DockerEngine, api: StoredEngine, tmp_path: Path
) -> None:
    await engine.create(plan(tmp_path))
    ended = await engine.run(CONTAINER, 60, new=True)
    assert (ended.exit_code, ended.run_time_s) == (3, 2.0)
    await engine.remove(TASK_ID)
    assert CONTAINER in api.removed


@pytest.mark.parametrize("request_line", [CREATE, START, INSPECT, REMOVE])
async def test_a_call_that_the_engine_fails_is_an_outage(
    engine: DockerEngine, api: StoredEngine, tmp_path: Path, request_line: str
) -> None:
    """Scenario 14: cannot create, start, inspect or remove."""
    api.refusals[request_line] = FAILURE
    with pytest.raises(DockerUnavailable, match="the engine failed"):
        await engine.create(plan(tmp_path))
        await engine.run(CONTAINER, 60, new=True)
        await engine.remove(TASK_ID)


@pytest.mark.parametrize(
    "refusal",
    [
        (409, f"cannot join network of a non running container: {'cd' * 32}"),
        (404, f"No such container: {'cd' * 32}"),
    ],
    ids=["it ended", "it is gone"],
)
async def test_a_container_with_a_lost_sandbox_is_distinguished(
    engine: DockerEngine, api: StoredEngine, refusal: tuple[int, str]
) -> None:
    api.refusals[START] = refusal
    with pytest.raises(SandboxLost, match="cannot join its network"):
        await engine.run(CONTAINER, 60, new=True)


async def test_a_container_that_is_gone_has_not_lost_its_sandbox(
    engine: DockerEngine, api: StoredEngine
) -> None:
    api.refusals[START] = (404, f"No such container: {CONTAINER}")
    with pytest.raises(DockerUnavailable, match="No such container"):
        await engine.run(CONTAINER, 60, new=True)


async def test_an_app_that_cannot_be_stopped_at_its_limit_is_an_outage(
    engine: DockerEngine, api: StoredEngine
) -> None:
    """Scenario 14: cannot stop."""
    api.documents[INSPECT] = described("running", FinishedAt="0001-01-01T00:00:00Z")
    api.refusals[KILL] = FAILURE
    with pytest.raises(DockerUnavailable, match="the engine failed"):
        await engine.run(CONTAINER, 0.0, new=True)


async def test_a_duplicate_that_cannot_be_removed_is_an_outage(
    engine: DockerEngine, api: StoredEngine, tmp_path: Path
) -> None:
    """Scenario 14: the container of an earlier attempt has the name and stays."""
    api.refusals[CREATE] = (409, "Conflict. The container name is already in use")
    api.refusals["DELETE /containers/worker-of-tests"] = FAILURE
    with pytest.raises(DockerUnavailable, match="the engine failed"):
        await engine.create(plan(tmp_path))


async def test_a_clock_set_back_gives_no_negative_duration(engine: DockerEngine, api: StoredEngine) -> None:
    """Scenario 14: negative duration."""
    api.documents[INSPECT] = described("exited", FinishedAt="2026-01-01T00:00:00Z")
    assert (await engine.run(CONTAINER, 60, new=True)).run_time_s == 0.0
