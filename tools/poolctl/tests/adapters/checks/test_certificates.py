"""Certificates of a real HTTPS port and of files: valid, expired, of another name."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from certificates import Authority, identity_of
from poolctl.adapters.checks.certificates import certificate_of_file, certificate_of_port
from workerpool_kit.tls.material import TlsFiles


@asynccontextmanager
async def served(files: TlsFiles) -> AsyncIterator[str]:
    """Serve TLS with a certificate; yield the URL."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    assert files.certificate is not None
    context.load_cert_chain(files.certificate, files.key)
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_valid_certificate_has_no_problem(tmp_path: Path) -> None:
    files = Authority(tmp_path).issue(days=20)
    with identity_of(TlsFiles(ca=files.ca)):
        async with served(files) as url:
            found = await certificate_of_port(url)
    assert found is not None
    assert found.problem == ""
    assert found.expires is not None
    assert found.expires > time.time()


async def test_an_expired_certificate_shows_its_expiry(tmp_path: Path) -> None:
    files = Authority(tmp_path).issue(days=-1)
    with identity_of(TlsFiles(ca=files.ca)):
        async with served(files) as url:
            found = await certificate_of_port(url)
    assert found is not None
    assert found.expires is not None
    assert found.expires < time.time()
    assert "expired" in found.problem


async def test_a_certificate_of_an_unknown_authority_is_a_problem(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    files, others = Authority(tmp_path / "one").issue(), Authority(tmp_path / "two").issue()
    with identity_of(TlsFiles(ca=others.ca)):
        async with served(files) as url:
            found = await certificate_of_port(url)
    assert found is not None
    assert found.problem


async def test_a_url_without_tls_has_none() -> None:
    assert await certificate_of_port("http://127.0.0.1:1") is None


def test_a_file_shows_its_first_expiry_or_its_problem(tmp_path: Path) -> None:
    files = Authority(tmp_path).issue(days=5)
    assert files.certificate is not None
    assert certificate_of_file(files.certificate).expires is not None
    (tmp_path / "text").write_text("no certificate")
    assert "PEM" in certificate_of_file(tmp_path / "text").problem
    assert certificate_of_file(tmp_path / "absent").problem
