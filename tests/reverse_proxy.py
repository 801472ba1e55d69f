"""A reverse proxy of tests: it ends TLS on one port, and passes HTTP and gRPC to the two ports of a service."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from certificates import Authority

HTTPS_PORT = 443


@dataclass
class ReverseProxy:
    """Passes HTTP/2 to the gRPC port and HTTP/1.1 to the HTTP port of a service, as nginx does by path."""

    http_port: int
    grpc_port: int
    host: str = "localhost"
    port: int = 0
    passed: dict[str, int] = field(default_factory=lambda: {"h2": 0, "http/1.1": 0})
    """Connections passed on so far, by protocol."""

    @property
    def url(self) -> str:
        """The URL that its clients know."""
        return f"https://{self.host}" if self.port == HTTPS_PORT else f"https://{self.host}:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one connection on until either side closes it."""
        chosen = writer.get_extra_info("ssl_object").selected_alpn_protocol() or "http/1.1"
        self.passed[chosen] += 1
        port = self.grpc_port if chosen == "h2" else self.http_port
        try:
            behind_reader, behind_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pass_on(reader, behind_writer), _pass_on(behind_reader, writer))


@asynccontextmanager
async def reverse_proxy(
    authority: Authority, http_port: int, grpc_port: int, *, https_address: str = ""
) -> AsyncIterator[ReverseProxy]:
    """Serve a reverse proxy before a service of this host, at a free port.

    With `https_address`, a loopback address, it listens on port 443 of that address, so that its URL names no port. A
    user who may not bind that port gets a free one.
    """
    proxy = ReverseProxy(http_port, grpc_port)
    if https_address and _may_bind(https_address, HTTPS_PORT):
        proxy.host, proxy.port = https_address, HTTPS_PORT
        files = authority.issue(f"reverse-proxy-{https_address}", https_address)
    else:
        files = authority.issue("reverse-proxy")
    assert files.certificate is not None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.certificate, files.key)
    context.set_alpn_protocols(["h2", "http/1.1"])
    bound = https_address if proxy.port else "127.0.0.1"
    listener = await asyncio.start_server(proxy.serve, bound, proxy.port, ssl=context)
    proxy.port = listener.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        listener.close()


def _may_bind(address: str, port: int) -> bool:
    with socket.socket() as tried:
        try:
            tried.bind((address, port))
        except PermissionError:
            return False
    return True


async def _pass_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while content := await source.read(65_536):
            sink.write(content)
            await sink.drain()
    sink.close()
