"""Clean up the file system and the Docker engine after a devnet, even after `kill -9` of its launcher.

`Janitor` starts this module as a process of its own and holds a pipe to it. When the launcher dies, the pipe
closes and the janitor cleans up; the kernel ends the processes of the devnet (see `parent_death`).
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from workerpool_devnet.processes.run_folder import remove_path, remove_run_folder
from workerpool_devnet.processes.worker_containers import remove_worker_containers

_DISMISS = "dismiss"


class Janitor:
    """Cleans up after a killed launcher. Create it before anything that it has to remove."""

    def __init__(self, folder: Path, wallets: Sequence[str], *, keep_logs: bool) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self._send(json.dumps({"folder": str(folder), "keep_logs": keep_logs, "wallets": list(wallets)}))

    def remove_also(self, path: Path) -> None:
        """Add a file, or a folder that is empty by then, to remove."""
        self._send(str(path))

    def dismiss(self) -> None:
        """Stop the janitor without a cleanup, and wait until it has ended."""
        self._send(_DISMISS)
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()

    def _send(self, line: str) -> None:
        assert self._process.stdin is not None
        # Without a janitor the devnet still cleans up by itself.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()


def main() -> None:
    """Wait until the launcher dismisses the janitor or dies; clean up when it dies."""
    task = json.loads(sys.stdin.readline())
    files = []
    for line in sys.stdin:
        if line.strip() == _DISMISS:
            return
        files.append(Path(line.strip()))
    for path in files:
        remove_path(path)
    remove_worker_containers(task["wallets"])
    remove_run_folder(Path(task["folder"]), keep_logs=task["keep_logs"])


if __name__ == "__main__":
    main()
