"""A reverse proxy of tests: it ends TLS on one port, and passes HTTP and gRPC to the two ports of a service."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from certificates import Authority


@dataclass
class ReverseProxy:
    """Passes HTTP/2 to the gRPC port and HTTP/1.1 to the HTTP port of a service, as nginx does by path."""

    http_port: int
    grpc_port: int
    port: int = 0
    passed: dict[str, int] = field(default_factory=lambda: {"h2": 0, "http/1.1": 0})
    """Connections passed on so far, by protocol."""

    @property
    def url(self) -> str:
        """The URL that its clients know."""
        return f"https://localhost:{self.port}"

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
async def reverse_proxy(authority: Authority, http_port: int, grpc_port: int) -> AsyncIterator[ReverseProxy]:
    """Serve a reverse proxy before a service of this host."""
    proxy = ReverseProxy(http_port, grpc_port)
    files = authority.issue("reverse-proxy")
    assert files.certificate is not None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.certificate, files.key)
    context.set_alpn_protocols(["h2", "http/1.1"])
    listener = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, ssl=context)
    proxy.port = listener.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        listener.close()


async def _pass_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while content := await source.read(65_536):
            sink.write(content)
            await sink.drain()
    sink.close()
