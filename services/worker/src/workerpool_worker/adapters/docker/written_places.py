"""Where the app of a container writes on the host's disk, and how much it holds there."""

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workerpool_poco.protocol.app_environment import IEXEC_OUT

from workerpool_worker.adapters.files.disk_usage import BLOCK_BYTES, PathTooLong, disk_usage
from workerpool_worker.domain.containers.disk import DiskUsage, excess, nesting_excess

_OTHER_PATHS = f"paths outside {IEXEC_OUT}"
_CGROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Measured:
    """The disk usage of one container. `excess` is a sentence if it reached a limit."""

    largest: DiskUsage
    """Usage of the place that holds the most."""
    excess: str = ""


UNMEASURED = Measured(DiskUsage())


@dataclass(frozen=True, slots=True)
class WrittenPlaces:
    """Folders on the host by the name that the app's requester knows them by."""

    folders: Mapping[str, tuple[Path, ...]]
    process: int
    """Process id of the app on the engine's host; 0 if it does not run."""
    layer_is_visible: bool
    """Whether this process can read the container's writable layer."""

    @classmethod
    def of(cls, details: Mapping[str, Any]) -> "WrittenPlaces":
        """Return the places of a container from the engine's description of it.

        Volumes that the image declares are on the host's disk like the writable layer, so they count with it.
        """
        layer = (details.get("GraphDriver", {}).get("Data") or {}).get("UpperDir", "")
        mounts = [mount for mount in details.get("Mounts", []) if mount["RW"] and mount["Type"] != "tmpfs"]
        folders: dict[str, list[Path]] = {_OTHER_PATHS: [Path(layer)] if layer else []}
        for mount in mounts:
            place = IEXEC_OUT if mount["Destination"] == IEXEC_OUT else _OTHER_PATHS
            folders.setdefault(place, []).append(Path(mount["Source"]))
        readable = {
            place: tuple(path for path in paths if os.access(path, os.R_OK | os.X_OK))
            for place, paths in folders.items()
        }
        return cls(
            readable, details["State"].get("Pid", 0), bool(layer) and Path(layer) in readable[_OTHER_PATHS]
        )

    def measure(self, limit: DiskUsage, layer_bytes: int | None) -> Measured:
        """Measure every place. Blocks. `layer_bytes` is the engine's figure if the layer is not visible.

        Raises OSError.
        """
        largest = DiskUsage()
        for place, folders in self.folders.items():
            used = DiskUsage()
            for folder in folders:
                try:
                    # The engine may remove the folder of an ended container meanwhile.
                    with suppress(FileNotFoundError):
                        used += disk_usage(folder, limit)
                except PathTooLong:
                    return Measured(used, nesting_excess(place))
            used += self._deleted_files(place)
            if place == _OTHER_PATHS and layer_bytes is not None:
                used += DiskUsage(layer_bytes)
            if sentence := excess(place, limit, used):
                return Measured(used, sentence)
            largest = max(largest, used, key=lambda usage: usage.size_bytes)
        return Measured(largest)

    def _deleted_files(self, place: str) -> DiskUsage:
        """Return the space of files that the app removed and keeps open. Zero where processes cannot be read.

        Those of volumes count as written to `/iexec_out` if both are on one file system.
        """
        seen: dict[int, int] = {}
        if not self.process or not self.folders[place]:
            return DiskUsage()
        with suppress(OSError):
            # The app sees its writable layer as another device than the host does.
            root = Path(f"/proc/{self.process}/root")
            device = (self.folders[place][0] if place == IEXEC_OUT else root).stat().st_dev
            for process in self._processes():
                for found in _open_files(process):
                    if found.st_nlink == 0 and stat.S_ISREG(found.st_mode) and found.st_dev == device:
                        seen[found.st_ino] = found.st_blocks * BLOCK_BYTES
        return DiskUsage(sum(seen.values()), len(seen))

    def _processes(self) -> list[int]:
        """Return the processes of the container, from its control group."""
        for line in Path(f"/proc/{self.process}/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            hierarchy = controllers.split(",")[0].removeprefix("name=")
            with suppress(OSError):
                processes = (_CGROUPS / hierarchy / path.lstrip("/") / "cgroup.procs").read_text()
                return [int(process) for process in processes.split()]
        return []


def _open_files(process: int) -> Iterator[os.stat_result]:
    with suppress(OSError), os.scandir(f"/proc/{process}/fd") as descriptors:
        for descriptor in descriptors:
            with suppress(OSError):
                yield os.stat(descriptor.path)
