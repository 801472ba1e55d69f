"""A trial start on the real engine: it tells a runtime or a driver that is lost from one that works."""

import shutil
from collections.abc import Iterator

import pytest
from workerpool_worker.adapters.docker.checks.runtime_trial import RuntimeTrial
from workerpool_worker.adapters.docker.connection import DockerConnection
from workerpool_worker.errors import DockerUnavailable

from services.worker.tests.harness.fixtures import ContainersOf


@pytest.fixture
def connection() -> Iterator[DockerConnection]:
    made = DockerConnection(pool_size=1, base_url=None)
    yield made
    made.close()


@pytest.mark.parametrize("runtime", ["", "runc"])
async def test_a_working_runtime_reaches_the_missing_program(
    connection: DockerConnection, wallet: str, containers_of: ContainersOf, runtime: str
) -> None:
    assert await RuntimeTrial(connection, runtime, (), worker=wallet)(0) == ""
    assert containers_of(wallet) == []


async def test_a_runtime_that_is_lost_is_reported(
    connection: DockerConnection, wallet: str, containers_of: ContainersOf
) -> None:
    assert "no-such-runtime" in await RuntimeTrial(connection, "no-such-runtime", (), worker=wallet)(0)
    assert containers_of(wallet) == []


@pytest.mark.skipif(bool(shutil.which("nvidia-smi")), reason="A GPU: the engine's refusal was not seen")
async def test_a_driver_that_is_lost_is_reported_only_where_it_is_needed(
    connection: DockerConnection, wallet: str, containers_of: ContainersOf
) -> None:
    trial = RuntimeTrial(connection, "", ("GPU-a", "GPU-b"), worker=wallet)
    assert "could not select device driver" in await trial(1)
    assert await trial(0) == ""
    assert containers_of(wallet) == []


async def test_an_unreachable_engine_is_inconclusive() -> None:
    connection = DockerConnection(pool_size=1, base_url="unix:///nowhere/docker.sock")
    with pytest.raises(DockerUnavailable):
        await RuntimeTrial(connection, "", (), worker="0xWorker")(0)
