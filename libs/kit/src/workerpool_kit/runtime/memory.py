"""Memory that was freed goes back to the system, so that a flood of calls does not leave a large process.

The allocator of glibc keeps what a process frees between two used blocks. After a flood that can be hundreds of MiB.
What lies at an end of its memory it returns at once, which is expensive where large buffers come and go.
"""

import asyncio
import ctypes
import os
from pathlib import Path

from workerpool_kit.logs import get_logger

log = get_logger()

_PERIOD_S = 5.0
_GROWTH_BYTES = 8 << 20
"""Growth since the last trim from which another trim is worth its few milliseconds."""
_TRIMS = 6
"""Trims after each growth: what is in use at the first may be free at a later one, after which nothing grows."""
_STATM = Path("/proc/self/statm")
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
"""See mallopt(3)."""
_REUSED_BYTES = 16 << 20
_LARGEST_REUSED_BYTES = 8 << 20


def resident_bytes() -> int:
    """Return the resident memory of this process in bytes; 0 where the system does not tell."""
    try:
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def reuse_large_buffers() -> None:
    """Keep up to 16 MiB that were freed for the next buffers, for a process that moves large files in pieces of 1 MiB.

    By default each such piece takes 250 new pages of the system and returns them: 1 to 2 ms of processor time, more
    than hashing it. `return_freed_memory` still returns what the process keeps. Allocators other than glibc's stay as
    they are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGEST_REUSED_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _REUSED_BYTES)


async def return_freed_memory(period_s: float = _PERIOD_S) -> None:
    """Return freed memory to the system whenever the process has grown; runs until cancelled.

    Ends at once with an allocator that cannot do so.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is None:
        return
    kept, left = resident_bytes(), 0
    while True:
        await asyncio.sleep(period_s)
        before = resident_bytes()
        if before >= kept + _GROWTH_BYTES:
            left = _TRIMS
        kept = min(kept, before)
        if not left:
            continue
        left -= 1
        await asyncio.to_thread(trim, 0)
        kept = resident_bytes()
        log.debug("memory.trimmed", before_bytes=before, after_bytes=kept)
