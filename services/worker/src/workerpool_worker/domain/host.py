"""Computing slots of a host and the resources of one slot."""

from dataclasses import dataclass

_PIDS_PER_TASK = 1024
_SYSTEM_SHARE = 0.1
_MIN_MEMORY_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class SlotLimits:
    """Resources of one app: processors, memory in bytes (swap is off), and number of processes and threads."""

    cpus: float
    memory_bytes: int
    pids: int

    def sentences(self) -> tuple[str, ...]:
        """Return each limit in words, for the requester."""
        return (
            f"{self.memory_bytes >> 20} MiB of memory",
            f"{self.cpus:g} processors",
            f"{self.pids} processes and threads",
        )


def slot_count(processors: int, override: int | None, *, gpu: bool) -> int:
    """Return the number of tasks that run at once.

    A worker with a GPU has one slot. Otherwise `override` decides; without it, all processors but one.
    """
    if gpu:
        return 1
    return override or max(processors - 1, 1)


def slot_limits(slots: int, memory_bytes: int, slot_bytes: int = 0) -> SlotLimits:
    """Return the limits of one slot: one processor, and `slot_bytes` or else an equal share of 90 % of the memory."""
    share = slot_bytes or int(memory_bytes * (1 - _SYSTEM_SHARE)) // slots
    return SlotLimits(1.0, max(share, _MIN_MEMORY_BYTES), _PIDS_PER_TASK)
