"""Servers at addresses that apps must not reach, in a network namespace of the test's own.

The host routes each address into the namespace, so no packet leaves this machine.
"""

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TCP_PORT, DNS_PORT = 8080, 53
METADATA, GLOBAL = "169.254.169.254", "11.213.77.9"
"""The global address is one that no public route announces."""
PRIVATE = ("10.213.77.2", "172.31.213.77", "192.168.213.77")
SPECIAL = ("100.100.100.200", "168.63.129.16", "192.0.0.192", "198.18.213.77", "203.0.113.77", "240.213.77.9")
EVERY = (METADATA, *PRIVATE, *SPECIAL, GLOBAL)
_NEAR, _FAR = "10.213.77.1", "10.213.77.2"
_LOCK = Path("/tmp/workerpool-decoys.lock")
_SERVER = """
import socket, sys, threading
tcp = socket.create_server(("0.0.0.0", int(sys.argv[1])), backlog=64)
def answer_datagrams(address):
    udp = socket.socket(type=socket.SOCK_DGRAM)
    udp.bind((address, int(sys.argv[2])))
    while True:
        question, asker = udp.recvfrom(512)
        udp.sendto(question[:2] + b"\\x81\\x83" + question[4:], asker)
for address in sys.argv[3:]:
    threading.Thread(target=answer_datagrams, args=(address,), daemon=True).start()
print("ready", flush=True)
while True:
    with tcp.accept()[0] as connection:
        connection.sendall(b"decoy\\n")
"""


@dataclass(frozen=True)
class Decoys:
    """Addresses that all answer on `TCP_PORT`, and say on `DNS_PORT` that no name exists."""

    namespace: str


def why_not() -> str:
    """Return why this machine cannot make namespaces, or an empty text."""
    if os.geteuid() != 0:
        return "NOT ROOT: the isolation of apps was not shown against decoys"
    missing = [name for name in ("ip", "nft") if shutil.which(name, path=_search_path()) is None]
    return f"NO {' NOR '.join(missing).upper()}: the isolation of apps was not shown" if missing else ""


@contextlib.contextmanager
def decoys() -> Iterator[Decoys]:
    """Serve the decoys while the block runs. One test of this machine at a time."""
    name = f"wpd{uuid.uuid4().hex[:8]}"
    with _LOCK.open("w") as lock, contextlib.ExitStack() as stack:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _ip("netns", "add", name)
        stack.callback(_ip, "netns", "delete", name)
        _ip("link", "add", f"{name}h", "type", "veth", "peer", "name", f"{name}n", "netns", name)
        stack.callback(_ip, "link", "delete", f"{name}h")
        _ip("address", "add", f"{_NEAR}/30", "dev", f"{name}h")
        _ip("link", "set", f"{name}h", "up")
        _ip("-n", name, "address", "add", f"{_FAR}/30", "dev", f"{name}n")
        for device in ("lo", f"{name}n"):
            _ip("-n", name, "link", "set", device, "up")
        _ip("-n", name, "route", "add", "default", "via", _NEAR)
        for address in EVERY:
            if address != _FAR:
                _ip("-n", name, "address", "add", f"{address}/32", "dev", "lo")
                _ip("route", "add", f"{address}/32", "via", _FAR)
        server = subprocess.Popen(
            [
                *("ip", "netns", "exec", name, sys.executable, "-c", _SERVER),
                *(str(TCP_PORT), str(DNS_PORT), *EVERY),
            ],
            stdout=subprocess.PIPE,
            env=os.environ | {"PATH": _search_path()},
        )
        stack.callback(server.wait)
        stack.callback(server.kill)
        assert server.stdout is not None
        stack.callback(server.stdout.close)
        assert server.stdout.readline() == b"ready\n"
        yield Decoys(name)


def _ip(*arguments: str) -> None:
    subprocess.run(
        ["ip", *arguments], check=True, capture_output=True, env=os.environ | {"PATH": _search_path()}
    )


def _search_path() -> str:
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
