"""TCP ports for the processes of a devnet.

Free ports are drawn below the range the kernel uses for outgoing connections (32768 and up), and a port that was drawn
is marked as long as the process that drew it lives. So nobody takes it by chance: neither between the choice and the
moment its server listens, nor while that server is down for a test, also when several devnets start at once.
"""

from __future__ import annotations

import random
import socket
from dataclasses import dataclass

from workerpool_kit.targets import GRPC_PORT_OFFSET

_FIRST, _LAST = 14_000, 22_700


@dataclass(frozen=True)
class ServicePorts:
    """Where one service listens."""

    http: int
    grpc: int


def free_port() -> int:
    """Return a port that is free now, and that nobody else draws as long as this process lives."""
    return _draw([0])


def free_service_ports() -> ServicePorts:
    """Return a free HTTP port whose gRPC neighbour (plus `GRPC_PORT_OFFSET`) is free as well."""
    http = _draw([0, GRPC_PORT_OFFSET])
    return ServicePorts(http, http + GRPC_PORT_OFFSET)


def documented_or_free(http: int) -> ServicePorts:
    """Return the documented HTTP port and its gRPC neighbour when both are free, else others that are."""
    if is_free(http) and is_free(http + GRPC_PORT_OFFSET):
        return ServicePorts(http, http + GRPC_PORT_OFFSET)
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
        wanted = [port + offset for offset in offsets]
        if all(map(is_free, wanted)) and _mark(wanted):
            return port


def _mark(ports: list[int]) -> bool:
    """Mark ports for every devnet on this machine; return whether none of them was marked before."""
    marks: list[socket.socket] = []
    for port in ports:
        mark = socket.socket(socket.AF_UNIX)
        marks.append(mark)
        try:
            # A name that is in no file system: the kernel frees it when the process ends, however it ends.
            mark.bind(f"\0workerpool-devnet-port-{port}")
        except OSError:
            for each in marks:
                each.close()
            return False
    for each in marks:
        each.detach()
    return True
