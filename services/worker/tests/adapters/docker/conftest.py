"""Networks of apps with rules of one test alone, and servers that apps must not reach."""

import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from workerpool_worker.adapters.docker.connection import DockerConnection
from workerpool_worker.adapters.docker.network.isolated import IsolatedNetwork
from workerpool_worker.adapters.shared_use import SharedUse
from workerpool_worker.domain.containers.app_network import AppNetworkRules, parse_networks

from services.worker.tests.harness import decoys as served
from services.worker.tests.harness.fixtures import MakeNetwork


@pytest.fixture(scope="module")
def decoys() -> Iterator[None]:
    with served.decoys():
        yield


@pytest.fixture
def rules(request: pytest.FixtureRequest) -> AppNetworkRules:
    """Rules of this test alone: what they allow is its own, and so is their name."""
    unique = f"10.99.{uuid.uuid4().int % 250}.{uuid.uuid4().int % 250}/32"
    return AppNetworkRules(parse_networks([unique, *getattr(request, "param", {}).get("allowed", ())]))


@pytest.fixture
async def connection() -> AsyncIterator[DockerConnection]:
    connection = DockerConnection(pool_size=4, base_url=None)
    yield connection
    connection.close()


@pytest.fixture
def make(connection: DockerConnection, rules: AppNetworkRules, tmp_path: Path) -> MakeNetwork:
    def network(**fields: Any) -> IsolatedNetwork:
        values: dict[str, Any] = {
            "probe": None,
            "rules_file": tmp_path / "app-network.nft",
            "shared": SharedUse(tmp_path, rules.network),
            "label": rules.network,
            "worker": rules.network,
        }
        return IsolatedNetwork(connection, fields.pop("rules", rules), **(values | fields))

    return network


@pytest.fixture
async def network(make: MakeNetwork) -> AsyncIterator[IsolatedNetwork]:
    opened = make()
    await opened.open()
    yield opened
    await opened.close()
