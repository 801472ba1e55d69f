"""Certificates: a bad one of a server is its fault, a host that trusts no authority is at fault itself."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from workerpool_worker.errors import DownloadFailed, HostNetworkUnavailable

from services.worker.tests.adapters.http_downloads.conftest import Fetch
from services.worker.tests.doubles.file_server import FileServer


@pytest.fixture
async def untrusted(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FileServer]:
    """A file server with a certificate that nothing on this host trusts."""
    folder: Path = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    openssl = (
        f"openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=x -keyout {key} -out {certificate}"
    )
    process = await asyncio.create_subprocess_exec(*openssl.split(), stderr=asyncio.subprocess.DEVNULL)
    assert await process.wait() == 0
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = FileServer()
    await server.start(tls=context)
    server.serves("/x", b"data")
    yield server
    await server.stop()


async def test_a_bad_certificate_is_the_servers_fault(
    fetch: Fetch, files: FileServer, untrusted: FileServer
) -> None:
    with pytest.raises(DownloadFailed, match="the server's certificate is not valid: "):
        await fetch(f"{untrusted.url}/x", reference_urls=[files.url])
    assert untrusted.exchanges == []


async def test_a_host_that_trusts_no_certificate_is_at_fault(fetch: Fetch, untrusted: FileServer) -> None:
    with pytest.raises(HostNetworkUnavailable, match="certificate is not valid"):
        await fetch(f"{untrusted.url}/x", reference_urls=[untrusted.url])


async def test_a_server_without_tls_is_at_fault(fetch: Fetch, files: FileServer) -> None:
    plain = FileServer()
    plain.greeting = b"HTTP/1.1 400 Bad Request\r\n\r\n"
    await plain.start()
    with pytest.raises(DownloadFailed, match="the TLS handshake failed"):
        await fetch(f"https://127.0.0.1:{plain.port}/x", reference_urls=[files.url])
    await plain.stop()
