"""Returns freed memory to the system, so that the process shrinks again after a flood of calls.

The allocator of glibc keeps what a process frees between two used blocks. After a flood that can be hundreds of MiB.
Memory at the end of its heap it returns immediately, which is expensive for large short-lived buffers.
"""

import asyncio
import ctypes
import os
from pathlib import Path

from workerpool_kit.logs import get_logger

log = get_logger()

_PERIOD_S = 5.0
_GROWTH_BYTES = 8 << 20
"""Growth in bytes since the last trim that is worth another trim of a few milliseconds."""
_TRIMS = 6
"""Trims after each growth: memory in use at the first trim may be free at a later one."""
_STATM = Path("/proc/self/statm")
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
"""See mallopt(3)."""
_ARENAS = 2
"""Heaps that all threads share, as in the images (`MALLOC_ARENA_MAX`): each keeps what was freed in it."""
_REUSED_BYTES = 16 << 20
_LARGEST_REUSED_BYTES = 8 << 20


def resident_bytes() -> int:
    """Return the resident memory of this process in bytes; 0 where the system does not report it."""
    try:
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def reuse_large_buffers() -> None:
    """Keep up to 16 MiB of freed memory for reuse, for a process that moves large files in chunks of 1 MiB.

    By default each such chunk maps and returns 250 pages: 1 to 2 ms of processor time, more
    than hashing it. All threads share two heaps, since each keeps as much. `return_freed_memory` still returns what the
    process keeps. Allocators other than glibc's stay as they are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGEST_REUSED_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _REUSED_BYTES)
        mallopt(_M_ARENA_MAX, _ARENAS)


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
