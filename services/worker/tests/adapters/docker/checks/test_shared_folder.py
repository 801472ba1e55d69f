"""Whether the engine's host has a file, on the real engine and with answers that it gives rarely."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from workerpool_worker.adapters.docker.checks.shared_folder import sees_file
from workerpool_worker.adapters.docker.connection import DockerConnection
from workerpool_worker.errors import DockerUnavailable, EngineRefused

from services.worker.tests.doubles.stored_engine import StoredEngine, running_engine

CREATE = "POST /containers/create"
UNSEEN = 'invalid mount config for type "bind": bind source path does not exist: /base/marker'
MARKER = Path("/base/marker")


@pytest.fixture
async def engine() -> AsyncIterator[StoredEngine]:
    async with running_engine() as engine:
        yield engine


@pytest.fixture
async def scripted(engine: StoredEngine) -> AsyncIterator[DockerConnection]:
    """A connection to the scripted engine."""
    connection = DockerConnection(pool_size=1, base_url=engine.url)
    yield connection
    connection.close()


@pytest.mark.parametrize("name", ["marker", "a b:c,d", "ümlaut"])
async def test_the_real_engine_sees_a_file_of_this_host_until_it_is_gone(
    docker_client: Any, connection: DockerConnection, tmp_path: Path, name: str
) -> None:
    marker = tmp_path / name
    marker.touch()
    assert await sees_file(connection, marker)
    marker.unlink()
    assert not await sees_file(connection, marker)
    assert not marker.exists(), "the engine makes no folder in its place"


async def test_the_container_binds_the_file_for_reading_and_is_removed_unstarted(
    engine: StoredEngine, scripted: DockerConnection
) -> None:
    assert await sees_file(scripted, MARKER)
    (created,) = engine.created
    (mount,) = created["HostConfig"]["Mounts"]
    assert (mount["Source"], mount["Type"], mount["ReadOnly"]) == (str(MARKER), "bind", True)
    assert engine.removed == ["new"]


async def test_a_source_that_the_engine_does_not_see_is_a_negative_answer(
    engine: StoredEngine, scripted: DockerConnection
) -> None:
    engine.refusals[CREATE] = (400, UNSEEN)
    assert not await sees_file(scripted, MARKER)
    assert engine.removed == []


async def test_a_container_that_is_already_gone_was_created(
    engine: StoredEngine, scripted: DockerConnection
) -> None:
    engine.refusals["DELETE /containers/new"] = (404, "no such container")
    assert await sees_file(scripted, MARKER)


@pytest.mark.parametrize(
    ("request_line", "status", "error"),
    [
        (CREATE, 400, EngineRefused),
        (CREATE, 409, EngineRefused),
        (CREATE, 500, DockerUnavailable),
        ("DELETE /containers/new", 500, DockerUnavailable),
    ],
)
async def test_another_refusal_is_inconclusive(
    engine: StoredEngine, scripted: DockerConnection, request_line: str, status: int, error: type[Exception]
) -> None:
    engine.refusals[request_line] = (status, "no space left on device")
    with pytest.raises(error, match="no space left"):
        await sees_file(scripted, MARKER)


async def test_an_engine_that_does_not_run_is_reported() -> None:
    connection = DockerConnection(pool_size=1, base_url="unix:///nowhere/docker.sock")
    with pytest.raises(DockerUnavailable):
        await sees_file(connection, MARKER)
