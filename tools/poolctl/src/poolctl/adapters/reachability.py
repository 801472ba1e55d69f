"""Probe whether a port accepts connections, and why not."""

import asyncio
import errno
import socket
from dataclasses import dataclass

from workerpool_kit.targets import channel_address

_LIMIT_S = 3.0
_WORDS = {
    errno.ECONNREFUSED: "connection refused: nothing listens there, or a firewall rejects it",
    errno.EHOSTUNREACH: "no route to the host",
    errno.ENETUNREACH: "no route to the network",
    errno.ETIMEDOUT: "no answer: the host is down, or a firewall drops the connection",
}


@dataclass(frozen=True, slots=True)
class PortState:
    """A probed port: `host:port`, and why it accepts no connection; empty if it does."""

    address: str
    problem: str

    @property
    def is_open(self) -> bool:
        """Whether the port accepts connections."""
        return not self.problem


def split_target(target: str) -> tuple[str, int]:
    """Return host and port of a URL with a port, or of a gRPC target. Raises ValueError."""
    address, _ = channel_address(target)
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


async def probe_port(target: str, *, limit_s: float = _LIMIT_S) -> PortState:
    """Connect to the port of a URL or gRPC target once, and close the connection."""
    try:
        host, port = split_target(target)
    except ValueError as bad:
        return PortState(target, str(bad))
    address = f"{host}:{port}"
    try:
        async with asyncio.timeout(limit_s):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        return PortState(address, _WORDS[errno.ETIMEDOUT])
    except socket.gaierror:
        return PortState(address, f"the name {host} is unknown here")
    except OSError as error:
        return PortState(address, _WORDS.get(error.errno or 0) or _of_many(error))
    writer.close()
    return PortState(address, "")


def _of_many(error: OSError) -> str:
    """Return the words for an error that asyncio makes of the failures of several addresses of one host."""
    text = str(error)
    if "refused" in text.lower() or f"[Errno {errno.ECONNREFUSED}]" in text:
        return _WORDS[errno.ECONNREFUSED]
    return text or type(error).__name__
