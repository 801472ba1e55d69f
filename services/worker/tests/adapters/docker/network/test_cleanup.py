"""Networks that the engine refuses to list, to make or to remove: the worker's own errors, and none of a file."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from workerpool_worker.adapters.docker.connection import DockerConnection
from workerpool_worker.adapters.docker.network.cleanup import remove_network, remove_unused_networks
from workerpool_worker.adapters.docker.network.isolated import IsolatedNetwork
from workerpool_worker.adapters.shared_use import SharedUse
from workerpool_worker.domain.containers.app_network import AppNetworkRules
from workerpool_worker.errors import DockerUnavailable, EngineRefused

from services.worker.tests.doubles.stored_engine import StoredEngine, running_engine

NETWORK = "workerpool-apps-of-a-test"
FORBIDDEN = (403, "the policy of this host forbids it")


@pytest.fixture
async def engine() -> AsyncIterator[StoredEngine]:
    async with running_engine() as engine:
        engine.network(NETWORK)
        yield engine


@pytest.fixture
async def scripted(engine: StoredEngine) -> AsyncIterator[DockerConnection]:
    """A connection to the scripted engine."""
    connection = DockerConnection(pool_size=1, base_url=engine.url)
    yield connection
    connection.close()


async def test_a_network_that_may_not_be_removed_stays(
    engine: StoredEngine, scripted: DockerConnection
) -> None:
    engine.refusals[f"DELETE /networks/{NETWORK}"] = FORBIDDEN
    assert not await remove_network(scripted, NETWORK)
    engine.refusals.clear()
    assert await remove_network(scripted, NETWORK)
    assert engine.removed == [NETWORK]


async def test_networks_that_may_not_be_listed_are_a_refusal_of_the_engine(
    engine: StoredEngine, scripted: DockerConnection, tmp_path: Path
) -> None:
    engine.refusals["GET /networks"] = FORBIDDEN
    with pytest.raises(EngineRefused, match="the policy of this host forbids it"):
        await remove_unused_networks(scripted, tmp_path, "")


async def test_a_network_that_may_not_be_made_is_reported(
    engine: StoredEngine, scripted: DockerConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workerpool_worker.adapters.nftables.shutil.which", lambda *_, **__: None)
    engine.refusals["POST /networks/create"] = FORBIDDEN
    rules = AppNetworkRules()
    network = IsolatedNetwork(
        scripted,
        rules,
        probe=None,
        rules_file=tmp_path / "rules",
        shared=SharedUse(tmp_path, rules.network),
        worker="0x1",
    )
    with pytest.raises(DockerUnavailable, match=r"cannot be created: .*the policy of this host forbids it"):
        await network.open()
