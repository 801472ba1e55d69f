"""What the containers of workers used on this host, and what of it is still there."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hostile.judging.host import left_in_engine, task_folders
from patience import PATIENCE_S
from workerpool_worker.adapters.docker.container_config import WORKER_LABEL

OWN_MOUNTS = Path("/proc/mounts")


@dataclass(frozen=True)
class Used:
    """Containers of tasks and the volumes that they mounted, by id and name."""

    containers: frozenset[str] = frozenset()
    volumes: frozenset[str] = frozenset()


def used_since(client: Any, wallets: Collection[str], since: float) -> Used:
    """Return what the tasks of workers used since a Unix time. The engine remembers its last 256 events."""
    events = list(
        client.events(
            since=since,
            until=time.time(),
            filters={"type": ["container", "volume"], "event": ["create", "mount"]},
            decode=True,
        )
    )

    def told(kind: str, is_meant: Callable[[dict[str, str]], bool]) -> frozenset[str]:
        return frozenset(
            each["Actor"]["ID"]
            for each in events
            if each["Type"] == kind and is_meant(each["Actor"]["Attributes"])
        )

    containers = told("container", lambda attributes: attributes.get(WORKER_LABEL) in wallets)
    return Used(containers, told("volume", lambda attributes: attributes.get("container") in containers))


def left_of(
    client: Any, used: Used, wallets: Collection[str], folder: Path, mounts: Path = OWN_MOUNTS
) -> list[str]:
    """Return the containers, networks, volumes, folders, mounts and processes of tasks that are still there.

    `folder` holds the folders of the workers, and `mounts` lists what the engine has mounted.
    """
    volumes = used.volumes & {volume.name for volume in client.volumes.list()}
    named = [*used.containers, *used.volumes, str(folder)]
    return [
        *left_in_engine(wallets, client),
        *(f"volume {name}" for name in volumes),
        *task_folders([folder]),
        *(f"mount {line}" for line in _mounts(mounts, named)),
        *(f"process {process}" for process in _processes(used.containers)),
    ]


async def at_rest(look: Callable[[], list[str]]) -> list[str]:
    """Look until nothing is left, and return what is left in the end."""
    end = time.monotonic() + PATIENCE_S
    while (found := await asyncio.to_thread(look)) and time.monotonic() < end:
        await asyncio.sleep(0.05)
    return found


def _mounts(listing: Path, names: Collection[str]) -> Iterator[str]:
    for line in listing.read_text().splitlines():
        if any(name in line for name in names):
            yield line


def _processes(containers: Iterable[str]) -> Iterator[str]:
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            group = (process / "cgroup").read_text()
            if any(container in group for container in containers):
                yield process.name
