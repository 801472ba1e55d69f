"""One pool for the programs of all clients: one worker, an operator, and a reverse proxy with TLS."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from certificates import Authority
from contract.access_table import OPERATOR, OPERATOR_PASSWORD
from e2e.requester import Requester
from e2e.shell_image import ensure_shell_image
from reverse_proxy import reverse_proxy
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.options import DevnetOptions
from workerpool_kit.grpc.client import open_channel
from workerpool_protocol.core.v1.pool_service_pb2_grpc import PoolServiceStub

from .programs import installed


@dataclass(frozen=True)
class Entrance:
    """Where the clients call, and with what."""

    clear: str
    """Target of core's gRPC port, without TLS."""
    secure: str
    """Target of the reverse proxy before it."""
    authority: Path
    """Certificate of the authority that issued the proxy's certificate."""
    password: Path
    """File with the operator's password."""
    key: Path
    """File with the requester's private key."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def net() -> AsyncIterator[Devnet]:
    """Run a pool whose failing apps end in FAILED."""
    await installed()
    core = {
        "IEXEC_CORE_OPERATOR_USERNAME": OPERATOR,
        "IEXEC_CORE_OPERATOR_PASSWORD": OPERATOR_PASSWORD,
        "WORKERPOOL_CORE_ERROR_RESULTS": "false",
    }
    async with Devnet(DevnetOptions(workers=1, environment={"core": core})) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def requester(net: Devnet) -> Requester:
    """Return a requester whose app is a shell."""
    return Requester(net, await net.create_app("clients", ensure_shell_image()), ())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def entrance(net: Devnet, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Entrance]:
    """Serve core behind a reverse proxy with TLS too."""
    folder = tmp_path_factory.mktemp("entrance")
    authority, core = Authority(folder), net.services["core"]
    password, key = folder / "password", folder / "key"
    password.write_text(f"{OPERATOR_PASSWORD}\n")
    key.write_text(f"{net.document()['accounts']['requester']['privateKey']}\n")
    http_port, grpc_port = (int(address.rpartition(":")[2]) for address in (core.http, core.grpc))
    async with reverse_proxy(authority, http_port, grpc_port) as front:
        yield Entrance(core.grpc, f"https://127.0.0.1:{front.port}", authority.file, password, key)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def operators(net: Devnet) -> AsyncIterator[Any]:
    """Call core as the operator."""
    basic = (OPERATOR, OPERATOR_PASSWORD)
    channel: grpc.aio.Channel = open_channel(net.services["core"].grpc, basic=basic)
    async with channel:
        yield PoolServiceStub(channel)
