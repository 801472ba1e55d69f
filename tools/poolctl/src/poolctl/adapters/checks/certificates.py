"""Certificates of HTTPS ports and of files."""

import asyncio
import ssl
from pathlib import Path

from cryptography import x509
from workerpool_kit.tls.identity import identity

from poolctl.adapters.reachability import split_target
from poolctl.domain.diagnosis.facts import Certificate

_LIMIT_S = 4.0


async def certificate_of_port(url: str) -> Certificate | None:
    """Return the certificate that an https URL presents; None for a URL without TLS, or a port that does not answer."""
    if not url.startswith("https:"):
        return None
    host, port = split_target(url)
    content = await _presented(host, port, _unchecked())
    if content is None:
        return None
    try:
        expires = x509.load_der_x509_certificate(content).not_valid_after_utc.timestamp()
    except ValueError as wrong:
        return Certificate(url, problem=str(wrong))
    try:
        await _presented(host, port, identity().client_context(), raises=True)
    except ssl.SSLError as refused:
        return Certificate(url, expires, _verdict(refused))
    except (OSError, TimeoutError):
        pass
    return Certificate(url, expires)


def certificate_of_file(path: Path) -> Certificate:
    """Return the certificate of a PEM file that expires first."""
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        return Certificate(str(path), problem=error.strerror or "it cannot be read")
    except ValueError:
        return Certificate(str(path), problem="it holds no certificate in PEM form")
    return Certificate(str(path), min(each.not_valid_after_utc.timestamp() for each in found))


def _verdict(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return str(error.verify_message)
    return str(error.reason or error)


def _unchecked() -> ssl.SSLContext:
    """Return a context that accepts any certificate, to find expired ones. Nothing is sent over it."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def _presented(host: str, port: int, context: ssl.SSLContext, *, raises: bool = False) -> bytes | None:
    try:
        async with asyncio.timeout(_LIMIT_S):
            _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host)
    except (OSError, TimeoutError):
        if raises:
            raise
        return None
    tls = writer.get_extra_info("ssl_object")
    content: bytes | None = tls.getpeercert(binary_form=True) if tls is not None else None
    writer.close()
    return content
