"""The TLS identity of the process: one for all of its servers and channels, read again when its files change."""

import asyncio
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc

from workerpool_kit.logs import get_logger
from workerpool_kit.tls.material import TlsError, TlsFiles, TlsMaterial, days_left, read_material

if TYPE_CHECKING:
    # A command line uses an identity too, and shows no health.
    from workerpool_kit.health import Health

log = get_logger()

WARN_DAYS = 14
"""Days before its expiry from which a certificate is named in the log, once a day, and in health."""
_COMPONENT = "certificate"


class TlsIdentity:
    """Certificates of one process. New connections use new certificates; open ones continue."""

    def __init__(self, files: TlsFiles) -> None:
        """Read the files. Raises TlsError when they cannot be used."""
        self._files = files
        self._seen = _state(files.paths())
        self.material: TlsMaterial = read_material(files)
        self._listeners: dict[object, Callable[[], None]] = {}
        self._healths: list[Health] = []
        self._warned_on: object = None

    @property
    def serves_tls(self) -> bool:
        """Whether the ports of this process speak TLS."""
        return self.material.server is not None

    @property
    def asks_clients(self) -> bool:
        """Whether callers of the gRPC port must present a certificate (mutual TLS)."""
        return self.material.client_ca is not None

    def refresh(self) -> bool:
        """Read the files again if they have changed; return whether new ones are in use.

        Files that cannot be used, such as a new certificate whose key is still the old one, are named in the log, and
        the former ones stay in use until the files change again.
        """
        state = _state(self._files.paths())
        if state == self._seen:
            return False
        self._seen = state
        try:
            self.material = read_material(self._files)
        except TlsError as error:
            log.error("tls.reload_refused", error=str(error), kept="the certificates in use")
            return False
        log.info("tls.reloaded", files=[str(path) for path in self._files.paths()], expires=self._expires())
        for listener in tuple(self._listeners.values()):
            listener()
        self.check_expiry()
        return True

    async def watch(self, every_s: float = 1.0) -> None:
        """Refresh until cancelled, and watch the expiry."""
        while True:
            self.refresh()
            self.check_expiry()
            await asyncio.sleep(every_s)

    def on_change(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after each change; return a function that ends this, and may be called again."""
        entry = object()
        self._listeners[entry] = listener

        def forget() -> None:
            self._listeners.pop(entry, None)

        return forget

    def show_in(self, health: "Health") -> None:
        """Report the certificate of this process as a component of `health`."""
        if self.serves_tls:
            self._healths.append(health)
            self.check_expiry()

    def check_expiry(self, now: datetime | None = None) -> None:
        """Report a certificate that expires soon or has expired in health and log."""
        expires = self.material.expires
        if expires is None:
            return
        now = now or datetime.now(UTC)
        left = days_left(expires, now)
        advice = (
            {"advice": f"write a new certificate to {self._files.certificate}"} if left < WARN_DAYS else {}
        )
        for health in self._healths:
            health.set(_COMPONENT, left > 0, expires=expires.isoformat(), **advice)
        if left < WARN_DAYS and self._warned_on != (expires, now.date()):
            self._warned_on = (expires, now.date())
            log.warning(
                "certificate.expired" if left <= 0 else "certificate.expiry_approached",
                expires=expires.isoformat(),
                days_left=round(left, 1),
                **advice,
            )

    def server_context(self) -> ssl.SSLContext | None:
        """Return the context of an HTTPS port, None for HTTP. Each new connection takes the certificate in use."""
        if self.material.server is None:
            return None
        entrance = self.material.server

        def take_newest(connection: Any, _name: str | None, _context: ssl.SSLContext) -> None:
            if self.material.server is not None:
                connection.context = self.material.server

        # Replacing a complete context is atomic; loading new files into the one in use is not.
        entrance.sni_callback = take_newest
        return entrance

    def server_credentials(self) -> grpc.ServerCredentials | None:
        """Return the credentials of a gRPC port, which fetches the certificate in use for each new connection."""
        if not self.serves_tls:
            return None
        given = self.material

        def fetch() -> Any:
            # In a thread of gRPC. None means that nothing has changed.
            nonlocal given
            if self.material is given:
                return None
            given = self.material
            return _configuration(given)

        return grpc.dynamic_ssl_server_credentials(
            _configuration(given), fetch, require_client_authentication=self.asks_clients
        )

    def client_context(self) -> ssl.SSLContext:
        """Return the context of an HTTPS call to a service of the pool."""
        return self.material.client or ssl.create_default_context()

    def channel_credentials(self) -> grpc.ChannelCredentials:
        """Return the credentials of a channel: its trusted authorities and its client certificate."""
        own = self.material
        return grpc.ssl_channel_credentials(own.ca, own.key, own.chain)

    def _expires(self) -> str | None:
        return None if self.material.expires is None else self.material.expires.isoformat()


def _configuration(material: TlsMaterial) -> grpc.ServerCertificateConfiguration:
    assert material.key is not None
    assert material.chain is not None
    return grpc.ssl_server_certificate_configuration(
        [(material.key, material.chain)], root_certificates=material.client_ca
    )


def _state(paths: tuple[Path, ...]) -> tuple[object, ...]:
    """Return what changes when a file is written or replaced, also behind a symbolic link."""
    return tuple(_stat(path) for path in paths)


def _stat(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


_of_process = TlsIdentity(TlsFiles())


def identity() -> TlsIdentity:
    """Return the identity of this process: without files until `use_identity` is called."""
    return _of_process


def use_identity(new: TlsIdentity) -> TlsIdentity:
    """Make `new` the identity of this process; return the former one. Servers and channels take it as they open."""
    global _of_process
    former, _of_process = _of_process, new
    return former
