"""An isolated IPFS node (Kubo): `ipfs daemon --offline` in its own folder."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
from pathlib import Path
from typing import Any, Self

from workerpool_devnet.errors import ProcessError
from workerpool_devnet.processes.ports import free_port
from workerpool_devnet.processes.process import ManagedProcess

GATEWAY_NAME = "gateway.test"
"""A name under which the gateway gives each content a name of its own, as public ones do. DNS does not know it."""
_INIT_LIMIT_S = 120
_START_LIMIT_S = 120
QUIET: dict[str, Any] = {
    # Without these a node contacts the project's servers for its configuration, routes and names.
    "AutoConf": {"Enabled": False},
    "Bootstrap": [],
    "Routing": {"Type": "none", "DelegatedRouters": []},
    "Ipns": {"DelegatedPublishers": []},
    "DNS": {"Resolvers": {}},
    "AutoTLS": {"Enabled": False},
    "Discovery": {"MDNS": {"Enabled": False}},
    "Version": {"SwarmCheckEnabled": False},
    "Plugins": {"Plugins": {"telemetry": {"Disabled": True}}},
    "Gateway": {
        "NoFetch": True,
        "PublicGateways": {GATEWAY_NAME: {"UseSubdomains": True, "Paths": ["/ipfs", "/ipns"]}},
    },
}
"""The configuration of an isolated node."""


class Kubo:
    """One node; `url` is its RPC API, `gateway_url` its gateway. A restart keeps its content and its ports."""

    def __init__(self, binary: Path, *, folder: Path, log: Path) -> None:
        """Store the paths: `folder` of the node's repository, and the `binary` that `make ipfs` builds."""
        self.binary = binary
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.gateway_port = free_port()
        self.gateway_url = f"http://127.0.0.1:{self.gateway_port}"
        self._repository = folder / "ipfs"
        self._environment = {
            "IPFS_PATH": str(self._repository),
            "IPFS_TELEMETRY": "off",
            "HOME": str(folder),
            "PATH": os.environ.get("PATH", ""),
        }
        self.process = ManagedProcess(
            "ipfs",
            [str(binary), "daemon", "--offline", "--migrate=false"],
            log=log,
            env=self._environment,
        )

    def start(self) -> None:
        """Create the repository if there is none, start the node, and wait until it answers."""
        if not (self._repository / "config").exists():
            self._initialize()
        self.process.start()
        self.process.wait_until(self._answers, timeout=_START_LIMIT_S)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stop()

    def run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Run an `ipfs` command against the node and return its output. Raises `ProcessError`."""
        ended = subprocess.run(
            [self.binary, *arguments], input=stdin, env=self._environment, capture_output=True, check=False
        )
        if ended.returncode:
            raise ProcessError(f"ipfs {arguments[0]} failed: {ended.stderr.decode(errors='replace')[-500:]}")
        return ended.stdout

    def count(self, *arguments: str) -> int:
        """Run an `ipfs` command against the node and return the number of bytes that it writes."""
        size = 0
        with subprocess.Popen(
            [self.binary, *arguments], env=self._environment, stdout=subprocess.PIPE
        ) as running:
            assert running.stdout is not None
            while piece := running.stdout.read(1 << 20):
                size += len(piece)
        return size

    def _initialize(self) -> None:
        self._repository.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [self.binary, "init", "--empty-repo"],
            env=self._environment,
            capture_output=True,
            check=True,
            timeout=_INIT_LIMIT_S,
        )
        file = self._repository / "config"
        config = json.loads(file.read_text())
        addresses = {
            **config["Addresses"],
            "API": f"/ip4/127.0.0.1/tcp/{self.port}",
            "Gateway": f"/ip4/127.0.0.1/tcp/{self.gateway_port}",
            "Swarm": [],
        }
        file.write_text(json.dumps({**config, **QUIET, "Addresses": addresses}, indent=1))

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("POST", "/api/v0/version")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()
