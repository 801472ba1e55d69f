"""Which processors the processes of a bench may use."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path


def halves() -> tuple[frozenset[int], frozenset[int]] | None:
    """Return one processor of this process, and the others; None where there is only one."""
    first, *others = sorted(os.sched_getaffinity(0))
    return (frozenset([first]), frozenset(others)) if others else None


def pin(roots: Iterable[int], processors: Collection[int]) -> None:
    """Let processes, their descendants and all their threads use only some processors, as what they start will."""
    for pid in _trees(list(roots)):
        # Twice: a thread that was not pinned yet may have started another one.
        for _ in range(2):
            for thread in _numbers(Path(f"/proc/{pid}/task")):
                with contextlib.suppress(OSError):
                    os.sched_setaffinity(thread, processors)


def _trees(roots: Sequence[int]) -> list[int]:
    """Return processes with their descendants."""
    found = list(roots)
    for pid in found:
        for thread in _numbers(Path(f"/proc/{pid}/task")):
            with contextlib.suppress(OSError):
                children = Path(f"/proc/{pid}/task/{thread}/children").read_text()
                found += [child for child in map(int, children.split()) if child not in found]
    return found


def _numbers(folder: Path) -> list[int]:
    try:
        return [int(each.name) for each in folder.iterdir()]
    except OSError:
        return []


class Busy:
    """The share of the time in which processors worked, since it was created."""

    def __init__(self) -> None:
        self._then = _times()

    def share(self, processors: Collection[int]) -> float:
        """Return the mean share of some processors, 0 to 1."""
        now, shares = _times(), []
        for each in processors:
            worked, passed = (
                after - before for after, before in zip(now[each], self._then[each], strict=True)
            )
            shares.append(worked / passed if passed else 0.0)
        return sum(shares) / len(shares)


def _times() -> dict[int, tuple[float, float]]:
    """Return the ticks that each processor worked, and all its ticks, since the start of the machine."""
    found = {}
    for line in Path("/proc/stat").read_text().splitlines():
        name, *fields = line.split()
        if name.startswith("cpu") and name != "cpu":
            user, nice, system, idle, waiting, *interrupts = map(int, fields[:7])
            worked = user + nice + system + sum(interrupts)
            found[int(name[3:])] = (float(worked), float(worked + idle + waiting))
    return found
