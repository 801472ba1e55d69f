"""A registry process with certificates: both ports speak TLS, new files are taken without a restart, none is lost."""

import asyncio
import contextlib
import os
import ssl
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest
from certificates import Authority, identity_of
from cryptography.x509 import load_der_x509_certificate, load_pem_x509_certificate
from patience import PATIENCE_S
from workerpool_devnet.processes.ports import ServicePorts, free_service_ports
from workerpool_kit.chain.config_client import ask_chain_config
from workerpool_kit.grpc.client import open_channel, open_service
from workerpool_kit.tls.material import TlsFiles
from workerpool_protocol.registry.v1 import config_service_pb2 as pb
from workerpool_protocol.registry.v1.config_service_pb2_grpc import ConfigServiceStub


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
async def ports(authority: Authority) -> AsyncIterator[ServicePorts]:
    """A registry that asks callers of its gRPC port for a certificate."""
    files, ports = authority.issue(mutual=True), free_service_ports()
    environ = {
        "IEXEC_CONFIG_SERVER_PORT": str(ports.http),
        "WORKERPOOL_HTTP_BIND_ADDRESS": "127.0.0.1",
        "WORKERPOOL_GRPC_BIND_ADDRESS": "127.0.0.1",
        "WORKERPOOL_TLS_CERTIFICATE": str(files.certificate),
        "WORKERPOOL_TLS_KEY": str(files.key),
        "WORKERPOOL_TLS_CA": str(files.ca),
        "WORKERPOOL_TLS_CLIENT_CA": str(files.client_ca),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "workerpool_registry"),
        env={**os.environ, **environ},
        stderr=asyncio.subprocess.DEVNULL,
    )
    async with asyncio.timeout(PATIENCE_S):
        while await _serial(authority, ports.grpc) is None:
            assert process.returncode is None
            await asyncio.sleep(0.05)
    yield ports
    process.terminate()
    assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0


async def _serial(authority: Authority, port: int) -> int | None:
    """Return the number of the certificate that a port serves, None while it is closed."""
    trusting = ssl.create_default_context(cafile=authority.file)
    trusting.set_alpn_protocols(["h2", "http/1.1"])
    try:
        _, writer = await asyncio.open_connection("localhost", port, ssl=trusting)
    except ConnectionError:
        return None
    served = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        await writer.wait_closed()
    return load_der_x509_certificate(served).serial_number


async def test_clients_find_both_ports_by_the_url(authority: Authority, ports: ServicePorts) -> None:
    url = f"https://localhost:{ports.http}"
    with identity_of(authority.issue("core")):
        assert (await ask_chain_config(url, "the test")).chain_id == 134
        async with open_service(url) as channel:
            stub: Any = ConfigServiceStub(channel)
            async with asyncio.timeout(PATIENCE_S):
                while channel.target != f"https://localhost:{ports.grpc}":
                    channel.get_state(try_to_connect=True)
                    await asyncio.sleep(0.02)
            answer = await stub.GetChain(pb.GetChainRequest(), timeout=PATIENCE_S, wait_for_ready=True)
    assert answer.chain.chain_id == 134


async def test_a_caller_without_a_certificate_gets_no_answer_by_grpc(
    authority: Authority, ports: ServicePorts
) -> None:
    with identity_of(TlsFiles(ca=authority.file)):
        async with open_channel(f"https://localhost:{ports.grpc}") as channel:
            stub: Any = ConfigServiceStub(channel)
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await stub.GetChain(pb.GetChainRequest(), timeout=PATIENCE_S)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_new_certificates_are_taken_while_calls_continue(
    authority: Authority, ports: ServicePorts
) -> None:
    done, calls = asyncio.Event(), 0

    async def load() -> None:
        nonlocal calls
        trusting = ssl.create_default_context(cafile=authority.file)
        while not done.is_set():
            async with open_channel(f"https://localhost:{ports.grpc}", own_subchannel=True) as channel:
                stub: Any = ConfigServiceStub(channel)
                await stub.GetChain(pb.GetChainRequest(), timeout=PATIENCE_S)
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"https://localhost:{ports.http}/config/chain", ssl=trusting) as answer,
            ):
                assert answer.status == 200
            calls += 2

    with identity_of(authority.issue("core")):
        # A lost call raises here, at the end.
        async with asyncio.TaskGroup() as group, asyncio.timeout(PATIENCE_S):
            for _ in range(3):
                group.create_task(load())
            for _ in range(2):
                certificate = authority.issue(mutual=True).certificate
                assert certificate is not None
                newest = load_pem_x509_certificate(certificate.read_bytes()).serial_number
                for port in (ports.http, ports.grpc):
                    while await _serial(authority, port) != newest:
                        await asyncio.sleep(0.05)
                before = calls
                while calls < before + 6:
                    await asyncio.sleep(0.01)
            done.set()
