"""TCP ports for the processes of a devnet.

Free ports are drawn below the range of the kernel for outgoing connections (32768 and up). A drawn port stays
reserved while the process that drew it lives. No other devnet draws it, neither before its server listens nor while
that server is down for a test.
"""

from __future__ import annotations

import random
import socket
from dataclasses import dataclass

from workerpool_kit.targets import GRPC_PORT_OFFSET

_FIRST, _LAST = 14_000, 22_700
_OF_COMPOSE = {17_001, 18_888}
"""Ports in that range that compose.yaml publishes: its pool may start beside a devnet."""


@dataclass(frozen=True)
class ServicePorts:
    """The two ports of one service."""

    http: int
    grpc: int


def free_port() -> int:
    """Return a free port, reserved while this process lives."""
    return _draw([0])


def free_service_ports() -> ServicePorts:
    """Return a free HTTP port whose gRPC port (plus `GRPC_PORT_OFFSET`) is free too."""
    http = _draw([0, GRPC_PORT_OFFSET])
    return ServicePorts(http, http + GRPC_PORT_OFFSET)


def free_ports_in_a_row(count: int) -> int:
    """Return the first of `count` consecutive HTTP ports that are free, and so are their gRPC ports."""
    return _draw([offset + n for offset in (0, GRPC_PORT_OFFSET) for n in range(count)])


def documented_or_free(http: int) -> ServicePorts:
    """Return the documented HTTP port and its gRPC port when both are free, else two other free ports."""
    if is_free(http) and is_free(http + GRPC_PORT_OFFSET):
        return ServicePorts(http, http + GRPC_PORT_OFFSET)
    return free_service_ports()


def is_free(port: int) -> bool:
    """Return whether a server can listen on this port of all interfaces."""
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
        if _OF_COMPOSE.isdisjoint(wanted) and all(map(is_free, wanted)) and _reserve(wanted):
            return port


def _reserve(ports: list[int]) -> bool:
    """Reserve ports among all devnets on this machine; return whether none of them was reserved."""
    marks: list[socket.socket] = []
    for port in ports:
        mark = socket.socket(socket.AF_UNIX)
        marks.append(mark)
        try:
            # An abstract socket name, in no file system: the kernel frees it when the process ends.
            mark.bind(f"\0workerpool-devnet-port-{port}")
        except OSError:
            for each in marks:
                each.close()
            return False
    for each in marks:
        each.detach()
    return True
