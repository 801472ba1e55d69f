"""TCP ports for the processes of a devnet.

Free ports are drawn below the range the kernel uses for outgoing connections (32768 and up), so
that nobody takes one by chance between the choice and the moment its server listens.
"""

from __future__ import annotations

import random
import socket
from dataclasses import dataclass

GRPC_OFFSET = 10_000
"""A service's gRPC port is its HTTP port plus this."""

_FIRST, _LAST = 14_000, 22_700


@dataclass(frozen=True)
class ServicePorts:
    """Where one service listens."""

    http: int
    grpc: int


def free_port() -> int:
    """Return a port that is free now."""
    return _draw([0])


def free_service_ports() -> ServicePorts:
    """Return a free HTTP port whose gRPC neighbour (plus `GRPC_OFFSET`) is free as well."""
    http = _draw([0, GRPC_OFFSET])
    return ServicePorts(http, http + GRPC_OFFSET)


def documented_or_free(http: int) -> ServicePorts:
    """Return the documented HTTP port and its gRPC neighbour when both are free, else others that are."""
    if is_free(http) and is_free(http + GRPC_OFFSET):
        return ServicePorts(http, http + GRPC_OFFSET)
    return free_service_ports()


def is_free(port: int) -> bool:
    """Tell whether a server could listen on this port of all interfaces now."""
    with socket.socket() as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind(("0.0.0.0", port))
        except OSError:
            return False
        return True


def _draw(offsets: list[int]) -> int:
    while True:
        port = random.randint(_FIRST, _LAST)
        if all(is_free(port + offset) for offset in offsets):
            return port
