"""IPv6: loopback, every interface with both families, URLs with brackets."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import http_calls
import pytest
from patience import PATIENCE_S
from workerpool_kit.access.authenticators import BasicAuthenticator
from workerpool_kit.grpc.client import open_service
from workerpool_kit.grpc.server import GrpcServer
from workerpool_kit.health import Health
from workerpool_kit.http.server import HttpServer
from workerpool_kit.process import StartupError
from workerpool_kit.settings.base import EVERY_INTERFACE

from .echo import SERVICE, Echo, closed_to


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


ipv6 = pytest.mark.skipif(
    not _has_ipv6(), reason="NO IPV6: this kernel has no IPv6 loopback, so the test did not run"
)


@asynccontextmanager
async def serving(contract: Any, host: str) -> AsyncIterator[HttpServer]:
    """Serve HTTP and gRPC on a host, the gRPC port told by the HTTP port."""
    grpc_server = GrpcServer(
        0, host=host, authenticator=BasicAuthenticator("pool", "word", "owner"), policy=closed_to("owner")
    )
    grpc_server.add(contract.grpc.add_EchoServiceServicer_to_server, Echo(contract), SERVICE)
    await grpc_server.start()
    http = HttpServer(0, health=Health(), version="1", host=host)
    await http.start()
    http.tell_grpc(grpc_server.port)
    yield http
    await http.stop()
    await grpc_server.stop(0.2)


async def answers(contract: Any, url: str, grpc_port: str) -> None:
    assert (await http_calls.get(f"{url}/version")).text == "1"
    host = url.removeprefix("http://").rpartition(":")[0]
    # Credentials: an IPv6 loopback is this host too.
    async with open_service(url, target=f"{host}:{grpc_port}", basic=("pool", "word")) as channel:
        stub = contract.grpc.EchoServiceStub(channel)
        assert (await stub.Unary(contract.pb2.Note(text="a"), timeout=PATIENCE_S)).text == "pool:a"


@ipv6
async def test_both_ports_serve_the_ipv6_loopback(contract: Any) -> None:
    async with serving(contract, "::1") as http:
        url = f"http://[::1]:{http.port}"
        told = (await http_calls.get(f"{url}/version")).headers["Workerpool-Grpc"]
        await answers(contract, url, told)


@ipv6
@pytest.mark.parametrize("host", ["[::1]", "127.0.0.1", "localhost"])
async def test_every_interface_means_both_families(contract: Any, host: str) -> None:
    async with serving(contract, EVERY_INTERFACE) as http:
        url = f"http://{host}:{http.port}"
        told = (await http_calls.get(f"{url}/version")).headers["Workerpool-Grpc"]
        await answers(contract, url, told)


async def test_every_interface_means_ipv4_where_the_kernel_has_nothing_else(
    contract: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.socket

    def without_ipv6(family: int = socket.AF_INET, *rest: Any) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(97, "Address family not supported by protocol")
        return real(family, *rest)

    monkeypatch.setattr(socket, "socket", without_ipv6)
    http = HttpServer(0, health=Health(), version="1", host=EVERY_INTERFACE)
    await http.start()
    monkeypatch.undo()
    assert (await http_calls.get(f"http://127.0.0.1:{http.port}/version")).text == "1"
    await http.stop()
    monkeypatch.setattr(socket, "socket", without_ipv6)
    with pytest.raises(StartupError, match="WORKERPOOL_HTTP_BIND_ADDRESS to an IPv4 address"):
        await HttpServer(0, health=Health(), version="1", host="::1").start()
