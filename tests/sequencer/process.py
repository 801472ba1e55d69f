"""The proxy as a process of its own, before the chain of a devnet."""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from patience import PATIENCE_S
from workerpool_devnet.processes.ports import free_port
from workerpool_devnet.processes.process import ManagedProcess

from sequencer.proxy import BEHAVIOUR_PATH, CALLS_PATH

_FOLDER = Path(__file__).resolve().parents[1]
_START_S = PATIENCE_S
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Without the proxy of the environment: the process is on this machine."""


class ProxyProcess:
    """Runs `python -m sequencer` before anvil on `upstream_port`. Enter it in the main thread."""

    def __init__(self, upstream_port: int, *, shape: str, log: Path, seed: int = 0) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "sequencer", "--shape", shape, "--seed", str(seed)]
        command += ["--upstream", f"http://127.0.0.1:{upstream_port}", "--port", str(self.port)]
        self._process = ManagedProcess("node proxy", command, log=log, folder=_FOLDER)

    def __enter__(self) -> ProxyProcess:
        """Start it and wait until it listens."""
        self._process.start()
        self._process.wait_until(self._listens, timeout=_START_S)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self._process.stop(timeout=5.0)

    def change(self, **switches: object) -> None:
        """Change switches of its `Behaviour` from now on."""
        self._ask(BEHAVIOUR_PATH, switches)

    def calls(self) -> dict[str, dict[str, int]]:
        """Return calls by method, requests by HTTP status, and what became of the sends."""
        found: dict[str, dict[str, int]] = self._ask(CALLS_PATH)
        return found

    def _listens(self) -> bool:
        try:
            self.calls()
        except OSError:
            return False
        return True

    def _ask(self, path: str, changes: Mapping[str, object] | None = None) -> Any:
        body = None if changes is None else json.dumps(changes).encode()
        request = urllib.request.Request(self.url + path, data=body, method="GET" if body is None else "PUT")
        with _OPENER.open(request, timeout=PATIENCE_S) as answer:
            return json.load(answer)
