"""Settings of a host, the services of a pool, and a pool on the real contracts, each without a worker."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import grpc
import pytest
from doubles.node import running_node
from google.protobuf.duration_pb2 import Duration
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_kit.settings.environment import load
from workerpool_kit.targets import GRPC_PORT_OFFSET
from workerpool_poco.chain.hub import HubClient
from workerpool_protocol.registry.v1 import config_service_pb2, config_service_pb2_grpc
from workerpool_worker.settings import WorkerSettings

from services.worker.tests.doubles.core_peer import CorePeer
from services.worker.tests.doubles.service_peers import ConfigPeer
from services.worker.tests.harness import host_settings
from services.worker.tests.harness.builders import WORKER
from services.worker.tests.harness.host_settings import HostSettings
from services.worker.tests.harness.pool_services import Core, Services
from services.worker.tests.harness.staker import Staker

PASSWORD = "only for tests"


@pytest.fixture
async def staker(fresh_poco_chain: PocoChain, tmp_path: Path) -> AsyncIterator[Staker]:
    """A funded wallet, its settings, and a scheduler and a config server that answer."""
    chain = fresh_poco_chain
    workerpool = await asyncio.to_thread(
        chain.market.create_workerpool, chain.account("poolOwner"), "pool of the command tests"
    )
    wallet = await asyncio.to_thread(chain.account, "staker")
    wallet.write_keystore(tmp_path / "wallet.json", PASSWORD, light=True)
    others = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    config = config_service_pb2.ChainConfig(
        chain_id=chain.chain_id, node_url=chain.url, hub_address=chain.hub, block_time=Duration(seconds=1)
    )
    config_service_pb2_grpc.add_ConfigServiceServicer_to_server(ConfigPeer(config), others)
    port = others.add_insecure_port("127.0.0.1:0")
    await others.start()
    core = CorePeer(workerpool, chain.chain_id)
    core.configuration.config_server_url = f"http://127.0.0.1:{port - GRPC_PORT_OFFSET}"
    await core.start()
    settings = load(
        WorkerSettings,
        {
            "POOL_ADDRESS": workerpool,
            "IEXEC_CORE_URL": core.url,
            "IEXEC_WORKER_BASE_DIR": str(tmp_path / "base"),
            "IEXEC_WORKER_NAME": "w",
            "IEXEC_WORKER_WALLET_PATH": str(tmp_path / "wallet.json"),
            "IEXEC_WORKER_WALLET_PASSWORD": PASSWORD,
        },
    )
    async with HubClient(chain.url, chain.hub) as hub:
        yield Staker(chain, hub, core, wallet, settings)
    await core.stop()
    await others.stop(None)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tmp_path / "base"


@pytest.fixture
def settings(base: Path, tmp_path: Path) -> HostSettings:
    """Return settings; keyword arguments are variables."""
    given = {
        "POOL_ADDRESS": WORKER,
        "IEXEC_WORKER_BASE_DIR": str(base),
        "IEXEC_WORKER_WALLET_PATH": str(tmp_path / "wallet.json"),
        "IEXEC_WORKER_WALLET_PASSWORD": host_settings.PASSWORD,
        "WORKERPOOL_WORKER_DISK_FLOOR_BYTES": "0",
    }

    def make(**variables: str) -> WorkerSettings:
        return load(WorkerSettings, given | variables)

    return make


@pytest.fixture
async def services() -> AsyncIterator[Services]:
    async with running_node() as node, AsyncExitStack() as stack:
        made = Services(Core(), node, stack)
        await made.start()
        yield made


@pytest.fixture
def closed_url() -> str:
    """The URL of a service whose ports are closed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return f"http://127.0.0.1:{port - GRPC_PORT_OFFSET}"
