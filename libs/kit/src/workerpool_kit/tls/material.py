"""The certificates and keys of a process, read from files and checked before they are used."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.x509 import Certificate


class TlsError(ValueError):
    """The files cannot be used; the message names the file, the problem and the next step."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Paths of PEM files; None where the operator names none."""

    certificate: Path | None = None
    """Chain of this process, its own certificate first."""
    key: Path | None = None
    """Private key of that certificate."""
    ca: Path | None = None
    """Authorities that issue the certificates of the pool's services; None means those of the system."""
    client_ca: Path | None = None
    """Authorities whose certificates callers of the gRPC port must present; None requests no certificate."""

    def paths(self) -> tuple[Path, ...]:
        """Return the named files."""
        return tuple(
            path for path in (self.certificate, self.key, self.ca, self.client_ca) if path is not None
        )


@dataclass(frozen=True, slots=True)
class TlsMaterial:
    """The content of the files: consistent, since it is only made by `read_material`."""

    chain: bytes | None
    key: bytes | None
    ca: bytes | None
    client_ca: bytes | None
    expires: datetime | None
    """When the first certificate of the chain expires."""
    client: ssl.SSLContext | None
    """For HTTPS calls to services of the pool; None without files, which means the system's authorities."""
    server: ssl.SSLContext | None
    """For the HTTP port; None without a certificate."""


def read_material(files: TlsFiles) -> TlsMaterial:
    """Return the content of the files. Raises TlsError for a file that is missing, malformed or without its partner."""
    chain, key, ca, client_ca = (
        None if path is None else _content(path)
        for path in (files.certificate, files.key, files.ca, files.client_ca)
    )
    for path, content in ((files.ca, ca), (files.client_ca, client_ca)):
        if path is not None and content is not None:
            _certificates(path, content)
    expires = None
    client = _client_context(files) if files.paths() else None
    server: ssl.SSLContext | None = None
    if files.certificate is not None and files.key is not None and chain is not None:
        expires = min(
            certificate.not_valid_after_utc for certificate in _certificates(files.certificate, chain)
        )
        server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        server.set_alpn_protocols(["http/1.1"])
        for context in (server, client):
            assert context is not None
            _load_own(context, files.certificate, files.key)
    return TlsMaterial(chain, key, ca, client_ca, expires, client, server)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TlsError(f"{path} cannot be read: {error.strerror}; correct its path or its mode") from None


def _certificates(path: Path, content: bytes) -> "list[Certificate]":
    # Only a process with certificates loads the library.
    from cryptography import x509

    try:
        found = x509.load_pem_x509_certificates(content)
    except ValueError:
        raise TlsError(f"{path} holds no certificate in PEM form; write the chain into it") from None
    return found


def _client_context(files: TlsFiles) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=files.ca)
    except (OSError, ssl.SSLError) as error:
        raise TlsError(f"{files.ca} cannot be used: {error}; write PEM certificates into it") from None


def _load_own(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "reason", None) or error
        raise TlsError(
            f"{certificate} and {key} cannot be used together: {reason}; they must be a PEM certificate and its "
            "private key without a password"
        ) from None


def _no_password() -> str:
    """Answer the question for the password of an encrypted key, which would otherwise wait at a terminal."""
    return ""


def days_left(expires: datetime, now: datetime | None = None) -> float:
    """Return the days until a certificate expires; negative afterwards."""
    return (expires - (now or datetime.now(UTC))).total_seconds() / 86_400
