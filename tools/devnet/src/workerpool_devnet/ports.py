"""Free TCP ports of the loopback interface."""

from __future__ import annotations

import socket


def free_ports(count: int) -> list[int]:
    """Return `count` distinct ports that were free a moment ago.

    All are held open until the last is found, so that no two are equal. Ports below the kernel's
    range for outgoing connections would be safer but are not reserved for anybody either.
    """
    sockets = []
    try:
        for _ in range(count):
            candidate = socket.socket()
            sockets.append(candidate)
            candidate.bind(("127.0.0.1", 0))
        return [candidate.getsockname()[1] for candidate in sockets]
    finally:
        for candidate in sockets:
            candidate.close()


def is_free(port: int) -> bool:
    """Tell whether a server could listen on this port of all interfaces now."""
    with socket.socket() as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind(("0.0.0.0", port))
        except OSError:
            return False
        return True
