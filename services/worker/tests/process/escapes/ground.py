"""The host on which apps try to escape: a worker, its pool, and what the apps look for."""

import contextlib
import json
import re
import socket
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from workerpool_kit.targets import GRPC_PORT_OFFSET

from services.worker.tests.harness.pool import Pool
from services.worker.tests.harness.registry import own_address
from services.worker.tests.harness.worker_process import WorkerProcess
from services.worker.tests.process.escapes.image import Images
from services.worker.tests.process.escapes.matrix import Targets

ENGINE_SOCKET = "/var/run/docker.sock"
_OPENED_NETWORK = re.compile(r"\bworkerpool-apps-([0-9a-f]+)\b")


@dataclass(frozen=True)
class EscapeHost:
    """A worker with two slots, its pool, and what its apps look for."""

    client: Any
    images: Images
    pool: Pool
    worker: WorkerProcess
    targets: Targets


@contextlib.contextmanager
def targets_of(
    pool: Pool, worker: WorkerProcess, folder: Path, metadata: tuple[str, ...]
) -> Iterator[Targets]:
    """Serve what apps look for until the block ends. The worker has made its network."""
    file = folder / "of-the-host" / "file"
    file.parent.mkdir()
    file.write_text("kept")
    abstract = f"workerpool-{uuid.uuid4().hex}"
    with contextlib.ExitStack() as stack:
        process = stack.enter_context(subprocess.Popen(["sleep", "infinity"]))
        stack.callback(process.kill)
        # The kernel completes connections that no process accepts.
        service = stack.enter_context(socket.create_server(("0.0.0.0", 0), backlog=64))
        stack.enter_context(_abstract_server(abstract))
        port = service.getsockname()[1]
        gateways = _gateways(worker.log)
        own_ports = (urlsplit(pool.chain.url).port, (urlsplit(pool.core.url).port or 0) + GRPC_PORT_OFFSET)
        yield Targets(
            process=process.pid,
            engine=ENGINE_SOCKET,
            abstract=abstract,
            gateways=tuple(f"{gateway}:{port}" for gateway in gateways),
            services=(
                *(f"127.0.0.1:{own_port}" for own_port in own_ports),
                *(f"{address}:{port}" for address in filter(None, (own_address(), *gateways))),
            ),
            metadata=metadata,
            file=file,
        )


def _gateways(log: str) -> list[str]:
    """Return the IPv4 addresses of the engine's own bridge and of that of the worker's network."""
    bridges = {"docker0", *(f"wpapps{name}" for name in _OPENED_NETWORK.findall(log))}
    listing = subprocess.run(
        ["ip", "-4", "-json", "address", "show"], check=True, capture_output=True, text=True
    ).stdout
    return [
        address["local"]
        for interface in json.loads(listing)
        if interface.get("ifname") in bridges
        for address in interface["addr_info"]
    ]


def _abstract_server(name: str) -> socket.socket:
    server = socket.socket(socket.AF_UNIX)
    server.bind(f"\0{name}")
    server.listen()
    return server
