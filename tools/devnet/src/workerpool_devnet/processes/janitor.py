"""Removing what a devnet leaves in the file system and the Docker engine, even after `kill -9`.

`Janitor` starts this module as a process of its own and holds a pipe to it. When the devnet dies
without saying goodbye the pipe closes and the janitor cleans up in its place; the devnet's
processes are ended by the kernel (see `leash`).
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

WORKER_LABEL = "workerpool.worker"
"""Docker label of every container and network a worker makes; its value is the worker's wallet address."""

_GOODBYE = "goodbye"


class Janitor:
    """Cleans up after a devnet that was killed. Create it before anything that it would have to remove."""

    def __init__(self, folder: Path, wallets: Sequence[str], *, keep_logs: bool) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self._say(json.dumps({"folder": str(folder), "keep_logs": keep_logs, "wallets": list(wallets)}))

    def remove_also(self, path: Path) -> None:
        """Name one more file to remove."""
        self._say(str(path))

    def dismiss(self) -> None:
        """Tell the janitor that everything is clean already, and wait for its end."""
        self._say(_GOODBYE)
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        # Should somebody have ended the janitor, the devnet still cleans up by itself.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()


def remove_run_folder(folder: Path, *, keep_logs: bool) -> None:
    """Remove the run folder, or all of it but `logs`.

    A process that is just ending may still write, so this tries for 3 seconds.
    """
    deadline = time.monotonic() + 3
    while rest := _disposable(folder, keep_logs):
        for path in rest:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        if time.monotonic() > deadline:
            return


def _disposable(folder: Path, keep_logs: bool) -> list[Path]:
    if not folder.exists():
        return []
    return [path for path in folder.iterdir() if path.name != "logs"] if keep_logs else [folder]


def remove_docker_leftovers(wallets: Sequence[str]) -> list[str]:
    """Remove the containers and networks of these workers; return their names. No engine, no leftovers."""
    removed: list[str] = []
    if not wallets:
        return removed

    import docker  # half a second that the janitor only spends when there is something to clean
    import docker.errors

    try:
        engine = docker.from_env(timeout=20)
    except docker.errors.DockerException:
        return removed
    try:
        for wallet in wallets:
            wanted = {"label": f"{WORKER_LABEL}={wallet}"}
            for container in engine.containers.list(all=True, filters=wanted, ignore_removed=True):
                with contextlib.suppress(docker.errors.APIError):  # a worker was faster
                    container.remove(force=True, v=True)
                    removed.append(container.name)
            for network in engine.networks.list(filters=wanted):
                with contextlib.suppress(docker.errors.APIError):
                    network.remove()
                    removed.append(network.name)
    except (docker.errors.DockerException, OSError):
        return removed  # the engine went away
    finally:
        engine.close()
    return removed


def main() -> None:
    """Wait for the devnet's goodbye or death, and clean up in the second case."""
    task = json.loads(sys.stdin.readline())
    files = []
    for line in sys.stdin:
        if line.strip() == _GOODBYE:
            return
        files.append(Path(line.strip()))
    for path in files:
        path.unlink(missing_ok=True)
    remove_docker_leftovers(task["wallets"])
    remove_run_folder(Path(task["folder"]), keep_logs=task["keep_logs"])


if __name__ == "__main__":
    main()
