"""How many tasks a host takes at once, and what each of them gets."""

from dataclasses import dataclass

_PIDS_PER_TASK = 1024
_SYSTEM_SHARE = 0.1
_LEAST_MEMORY_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class SlotLimits:
    """What one app may use: ``cpus`` processors, memory in bytes (no swap), processes and threads."""

    cpus: float
    memory_bytes: int
    pids: int


def slots(processors: int, override: int | None, gpu: bool) -> int:
    """Return how many tasks run at once: one with a GPU, else the override, else all processors but one."""
    if gpu:
        return 1
    return override or max(processors - 1, 1)


def slot_limits(slot_count: int, memory_bytes: int) -> SlotLimits:
    """Return the share of one slot: one processor, and an equal part of the memory after a tenth for the system."""
    share = int(memory_bytes * (1 - _SYSTEM_SHARE)) // slot_count
    return SlotLimits(1.0, max(share, _LEAST_MEMORY_BYTES), _PIDS_PER_TASK)
