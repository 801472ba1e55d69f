"""The host after a run: nothing of the pool may be left in the engine or the file system."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import docker
from workerpool_devnet.processes.worker_containers import WORKER_LABEL

_TASK_ID_LENGTH = 66


def left_in_engine(wallets: Iterable[str], client: Any = None) -> list[str]:
    """Return the containers, networks and volumes that carry the label of one of the worker wallets.

    `client` is the SDK's client of the engine; None means this host's.
    """
    known = {wallet.lower() for wallet in wallets}
    opened = None if client is not None else docker.from_env()
    client = client or opened

    def ours(labels: dict[str, str] | None) -> bool:
        return (labels or {}).get(WORKER_LABEL, "").lower() in known

    try:
        found = [
            f"container {c.name} ({c.status})"
            for c in client.containers.list(all=True, ignore_removed=True)
            if ours(c.labels)
        ]
        found += [f"network {n.name}" for n in client.networks.list() if ours(n.attrs.get("Labels"))]
        found += [f"volume {v.name}" for v in client.volumes.list() if ours(v.attrs.get("Labels"))]
    finally:
        if opened is not None:
            opened.close()
    return found


def containers_of(wallets: Iterable[str]) -> list[str]:
    """Return the containers of these workers."""
    return [item for item in left_in_engine(wallets) if item.startswith("container")]


def task_folders(roots: Iterable[Path]) -> list[str]:
    """Return the folders of tasks in the work folders of workers."""
    found = []
    for root in roots:
        with contextlib.suppress(OSError):
            found += [
                f"folder {path}"
                for path in root.rglob("0x*")
                if path.is_dir() and len(path.name) == _TASK_ID_LENGTH
            ]
    return found


def left_on_system(folder: Path) -> list[str]:
    """Return mounts, loop devices and processes that belong to a folder, and the folder itself."""
    name = str(folder)
    found = [f"folder {folder}"] if folder.exists() else []
    found += [
        f"mount {line.split()[1]}" for line in Path("/proc/mounts").read_text().splitlines() if name in line
    ]
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        devices = subprocess.run(["losetup", "-a"], check=True, capture_output=True, text=True).stdout
        found += [f"loop device {line}" for line in devices.splitlines() if name in line]
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"TMPDIR={name}".encode() in (process / "environ").read_bytes():
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found.append(f"process {process.name} {command[:120]}")
    return found
