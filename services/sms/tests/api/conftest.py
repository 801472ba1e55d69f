"""Both ports of an SMS over memory, and clients of them."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import grpc
import pytest
from patience import PATIENCE_S
from pydantic import SecretStr
from workerpool_devnet.processes.ports import free_port
from workerpool_kit.grpc.client import error_reason
from workerpool_kit.grpc.server import GrpcServer
from workerpool_kit.health import Health
from workerpool_kit.http.server import HttpServer
from workerpool_protocol.sms.v1 import secret_service_pb2_grpc, tee_service_pb2_grpc
from workerpool_sms.adapters.backup_folder import BackupFolder
from workerpool_sms.api.grpc import secret_service, tee_service
from workerpool_sms.api.http import admin_routes, secret_routes, tee_routes
from workerpool_sms.app.backups import AdminAccess, Backups

from services.sms.tests.doubles.dump import MemoryDump
from services.sms.tests.instance import Instance

API_KEY = "admin-key"


@dataclass(frozen=True)
class Answer:
    """A complete HTTP answer."""

    status: int
    headers: Mapping[str, str]
    text: str
    code: str | None
    """The code of a refusal."""


class Client:
    """Calls both ports."""

    def __init__(self, sms: Instance, http_url: str, channel: grpc.aio.Channel) -> None:
        self.sms = sms
        self.url = http_url
        self.secrets: Any = secret_service_pb2_grpc.SecretServiceStub(channel)
        self.tee: Any = tee_service_pb2_grpc.TeeServiceStub(channel)

    async def http(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """Make an HTTP request; underscores in the names of headers stand for dashes."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, self.url + path, data=body, headers=named) as answer,
        ):
            text = await answer.text()
            json = "json" in answer.headers.get("content-type", "") and text.startswith("{")
            content = await answer.json() if json else {}
            return Answer(answer.status, answer.headers, text, content.get("code"))

    async def grpc(self, method: Any, request: Any) -> tuple[str, str | None]:
        """Call a gRPC method; return the name of its code and the reason of a refusal."""
        try:
            await method(request, timeout=PATIENCE_S)
        except grpc.aio.AioRpcError as error:
            return error.code().name, error_reason(error)
        return "OK", None


@pytest.fixture
async def client(sms: Instance) -> AsyncIterator[Client]:
    http_server = HttpServer(
        0,
        health=Health(),
        version="1",
        host="127.0.0.1",
        for_browsers=True,
        routes=[
            *secret_routes.routes(sms.secrets),
            *tee_routes.routes(
                sms.properties, sms.enclave_challenges, sms.session_challenges, sms.sessions, sms.unattested
            ),
            *admin_routes.routes(
                AdminAccess(SecretStr(API_KEY)),
                Backups(MemoryDump(), BackupFolder(sms.folder), sms.keys, sms.gate, sms.cache),
                sms.owners,
            ),
        ],
    )
    await http_server.start()
    server = GrpcServer(free_port(), host="127.0.0.1", policy=secret_service.POLICY | tee_service.POLICY)
    server.add(
        secret_service_pb2_grpc.add_SecretServiceServicer_to_server,
        secret_service.SecretServicer(sms.secrets),
        secret_service.SERVICE,
    )
    server.add(
        tee_service_pb2_grpc.add_TeeServiceServicer_to_server,
        tee_service.TeeServicer(sms.properties, sms.enclave_challenges, sms.session_challenges, sms.sessions),
        tee_service.SERVICE,
    )
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield Client(sms, f"http://127.0.0.1:{http_server.port}", channel)
    await server.stop(0)
    await http_server.stop()
