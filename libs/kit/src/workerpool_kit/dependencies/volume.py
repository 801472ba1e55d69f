"""The volume of a folder as a dependency: it has room for what the process writes."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from workerpool_kit.dependencies.report import WRONG, Dependency, DependencyProblem, DependencyReport
from workerpool_kit.health import Health

MIN_FREE_BYTES = 64 << 20
"""Free bytes below which health names a volume (64 MiB); on a small volume a sixteenth of its size."""
_MIN_SHARE = 16


def volume_dependency(component: str, variable: str, folder: Path) -> Dependency:
    """Return the volume of `folder`, which `variable` names."""
    return Dependency(component, variable, str(folder), "free space on the volume, or name another folder")


def journal_waits(health: Health, variable: str, file: Path) -> Callable[[str | None], None]:
    """Return a callback that records in health that a journal waits for space (the reason) or writes again (None).

    It is the `on_wait` of a `SqliteFile`; `variable` names the folder of `file`.
    """
    report = DependencyReport(health, volume_dependency("journal", variable, file))
    report.works()

    def waits(reason: str | None) -> None:
        if reason is None:
            report.works()
        else:
            report.fails(DependencyProblem(reason, kind=WRONG))

    return waits


async def probe_volume(folder: Path, min_bytes: int = MIN_FREE_BYTES) -> None:
    """Return when the volume of `folder` has `min_bytes` free, or a sixteenth. Raises DependencyProblem."""
    # In a thread: a network volume may hang.
    await asyncio.to_thread(_check, folder, min_bytes)


def _check(folder: Path, min_bytes: int) -> None:
    try:
        volume = os.statvfs(folder)
    except OSError as error:
        raise DependencyProblem(f"the folder cannot be used: {error.strerror}", kind=WRONG) from None
    free = volume.f_bavail * volume.f_frsize
    least = min(min_bytes, volume.f_blocks * volume.f_frsize // _MIN_SHARE)
    if free < least:
        raise DependencyProblem(
            f"the volume has {free >> 10} KiB free, less than {least >> 10} KiB", kind=WRONG
        )
    if volume.f_files and not volume.f_favail:
        raise DependencyProblem("the volume has no inode left for another file", kind=WRONG)
    if volume.f_flag & os.ST_RDONLY:
        raise DependencyProblem("the volume is read-only", kind=WRONG)
