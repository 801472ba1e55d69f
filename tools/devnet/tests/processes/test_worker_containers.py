import os
from collections.abc import Iterator

import docker
import pytest
from workerpool_devnet.processes.worker_containers import WORKER_LABEL, remove_worker_containers


@pytest.fixture
def engine() -> Iterator[docker.DockerClient]:
    client = docker.from_env()
    yield client
    client.close()


@pytest.mark.e2e
def test_only_the_networks_of_the_named_workers_are_removed(engine: docker.DockerClient) -> None:
    ours, other = "0xours" + os.urandom(4).hex(), "0xother" + os.urandom(4).hex()
    engine.networks.create(f"test-{ours}", labels={WORKER_LABEL: ours})
    kept = engine.networks.create(f"test-{other}", labels={WORKER_LABEL: other})
    try:
        assert remove_worker_containers([ours]) == [f"test-{ours}"]
        assert remove_worker_containers([ours]) == []
        kept.reload()
    finally:
        kept.remove()


def test_without_an_engine_there_is_nothing_to_remove(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    assert remove_worker_containers(["0xours"]) == []
    assert remove_worker_containers([]) == []
