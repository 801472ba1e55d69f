"""Both ports with TLS: certificates change under load, callers may have to show their own."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest
from certificates import Authority, identity_of
from patience import PATIENCE_S
from workerpool_kit.access.authenticators import BasicAuthenticator
from workerpool_kit.grpc.client import open_channel
from workerpool_kit.health import Health
from workerpool_kit.http import server as http_server
from workerpool_kit.http.server import HttpServer
from workerpool_kit.tls.cleartext import CleartextRefused
from workerpool_kit.tls.identity import TlsIdentity
from workerpool_kit.tls.material import TlsFiles

from .echo import Echo, closed_to

ROUNDS, CALLERS = 5, 8


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
async def http(authority: Authority) -> AsyncIterator[HttpServer]:
    with identity_of(authority.issue()):
        server = HttpServer(0, health=Health(), version="1", host="127.0.0.1")
        await server.start()
        yield server
        await server.stop()


async def test_a_call_with_credentials_goes_over_tls(authority: Authority, contract: Any, serve: Any) -> None:
    with identity_of(authority.issue()):
        server = await serve(
            Echo(contract),
            authenticator=BasicAuthenticator("pool", "word", "owner"),
            policy=closed_to("owner"),
        )
        async with open_channel(f"https://localhost:{server.port}", basic=("pool", "word")) as channel:
            answer = await contract.grpc.EchoServiceStub(channel).Unary(
                contract.pb2.Note(text="a"), timeout=PATIENCE_S
            )
    assert answer.text == "pool:a"


async def test_a_certificate_of_another_authority_or_name_is_refused(
    authority: Authority, contract: Any, serve: Any, tmp_path: Path
) -> None:
    (tmp_path / "stranger").mkdir()
    stranger = Authority(tmp_path / "stranger")
    with identity_of(authority.issue()):
        server = await serve(Echo(contract))
    with identity_of(authority.issue("other", "core.example")):
        named = await serve(Echo(contract))
    for trusted, port in ((stranger, server.port), (authority, named.port)):
        with identity_of(TlsFiles(ca=trusted.file)):
            async with open_channel(f"https://localhost:{port}") as channel:
                with pytest.raises(grpc.aio.AioRpcError) as refused:
                    await contract.grpc.EchoServiceStub(channel).Unary(
                        contract.pb2.Note(), timeout=PATIENCE_S
                    )
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_the_http_port_speaks_tls_only(authority: Authority, http: HttpServer) -> None:
    trusting = ssl.create_default_context(cafile=authority.file)
    async with aiohttp.ClientSession() as session:
        async with session.get(f"https://localhost:{http.port}/version", ssl=trusting) as answer:
            assert await answer.text() == "1"
        with pytest.raises(aiohttp.ClientError):
            await session.get(f"http://localhost:{http.port}/version")


async def test_certificates_change_under_load_and_no_call_is_lost(
    authority: Authority, contract: Any, serve: Any, record_property: Any
) -> None:
    with identity_of(authority.issue()) as own:
        server = await serve(Echo(contract))
        http = HttpServer(0, health=Health(), version="1", host="127.0.0.1")
        await http.start()
        stop, counts = asyncio.Event(), [0, 0]
        loads = [asyncio.create_task(_call(contract, server.port, stop, counts)) for _ in range(CALLERS)]
        loads += [asyncio.create_task(_get(authority, http.port, stop, counts)) for _ in range(CALLERS)]
        for _ in range(ROUNDS):
            before = list(counts)
            authority.issue()
            assert own.refresh()
            serial = _newest_serial(own)
            for port in (server.port, http.port):
                assert await _served_serial(authority, port) == serial
            while not all(now > then + CALLERS for now, then in zip(counts, before, strict=True)):
                await asyncio.sleep(0.01)
        stop.set()
        # A lost call would raise here.
        await asyncio.gather(*loads)
        await http.stop()
    record_property(
        "figure", f"{ROUNDS} changes of certificates: {sum(counts)} calls on new connections, none lost"
    )


async def _call(contract: Any, port: int, stop: asyncio.Event, counts: list[int]) -> None:
    """Call on one long connection and on new ones in turn."""
    async with open_channel(f"https://localhost:{port}", own_subchannel=True) as lasting:
        while not stop.is_set():
            await contract.grpc.EchoServiceStub(lasting).Unary(contract.pb2.Note(), timeout=PATIENCE_S)
            async with open_channel(f"https://localhost:{port}", own_subchannel=True) as fresh:
                await contract.grpc.EchoServiceStub(fresh).Unary(contract.pb2.Note(), timeout=PATIENCE_S)
            counts[0] += 1


async def _get(authority: Authority, port: int, stop: asyncio.Event, counts: list[int]) -> None:
    trusting = ssl.create_default_context(cafile=authority.file)
    while not stop.is_set():
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"https://localhost:{port}/version", ssl=trusting) as answer,
        ):
            assert await answer.text() == "1"
        counts[1] += 1


def _newest_serial(own: TlsIdentity) -> int:
    from cryptography.x509 import load_pem_x509_certificate

    assert own.material.chain is not None
    return load_pem_x509_certificate(own.material.chain).serial_number


async def _served_serial(authority: Authority, port: int) -> int:
    from cryptography.x509 import load_der_x509_certificate

    trusting = ssl.create_default_context(cafile=authority.file)
    trusting.set_alpn_protocols(["h2", "http/1.1"])
    _, writer = await asyncio.open_connection("localhost", port, ssl=trusting)
    served = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        await writer.wait_closed()
    return load_der_x509_certificate(served).serial_number


async def test_with_mutual_tls_only_callers_with_a_certificate_are_served(
    authority: Authority, contract: Any, serve: Any
) -> None:
    with identity_of(authority.issue(mutual=True)):
        server = await serve(Echo(contract))
    target = f"https://localhost:{server.port}"
    with identity_of(TlsFiles(ca=authority.file)):
        async with open_channel(target) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await contract.grpc.EchoServiceStub(channel).Unary(contract.pb2.Note(), timeout=PATIENCE_S)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    with identity_of(authority.issue("core")):
        async with open_channel(target) as channel:
            answer = await contract.grpc.EchoServiceStub(channel).Unary(
                contract.pb2.Note(text="a"), timeout=PATIENCE_S
            )
    assert answer.text == ":a"


async def test_health_checks_need_no_certificate_with_mutual_tls(authority: Authority) -> None:
    trusting = ssl.create_default_context(cafile=authority.file)
    with identity_of(authority.issue(mutual=True)):
        http = HttpServer(0, health=Health(), version="1", host="127.0.0.1")
        await http.start()
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"https://localhost:{http.port}/actuator/health", ssl=trusting) as answer,
        ):
            assert "certificate" in (await answer.json())["components"]
        await http.stop()


async def test_a_caller_that_begins_no_handshake_is_cut(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_server, "_HANDSHAKE_LIMIT_S", 0.2)
    with identity_of(authority.issue()):
        http = HttpServer(0, health=Health(), version="1", host="127.0.0.1")
        await http.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", http.port)
        async with asyncio.timeout(PATIENCE_S):
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
        writer.close()
        await http.stop()


async def test_credentials_do_not_leave_this_host_without_tls() -> None:
    with pytest.raises(CleartextRefused, match="WORKERPOOL_ALLOW_CLEARTEXT"):
        open_channel("core:23000", basic=("pool", "word"))


async def test_own_calls_take_no_proxy(contract: Any, serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "grpc_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    server = await serve(Echo(contract))
    async with open_channel(f"localhost:{server.port}") as channel:
        answer = await contract.grpc.EchoServiceStub(channel).Unary(
            contract.pb2.Note(text="a"), timeout=PATIENCE_S
        )
    assert answer.text == ":a"
