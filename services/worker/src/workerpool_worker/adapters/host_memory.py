"""The memory of this host, as its kernel reports it."""

from pathlib import Path

_MEMINFO = Path("/proc/meminfo")


def available_memory(file: Path = _MEMINFO) -> int | None:
    """Return the bytes of memory that programs can still get without swapping; None where no kernel reports it.

    A worker in a container sees the memory of its host.
    """
    return _field("MemAvailable:", file)


def total_memory(file: Path = _MEMINFO) -> int | None:
    """Return the bytes of memory of this host; None where no kernel reports it."""
    return _field("MemTotal:", file)


def _field(name: str, file: Path) -> int | None:
    try:
        lines = file.read_text().splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith(name))
    except (OSError, ValueError, IndexError, StopIteration):
        return None
