"""Freed memory goes back to the system."""

import asyncio
import ctypes
import subprocess
import sys

import pytest
from patience import PATIENCE_S
from workerpool_kit.runtime.memory import resident_bytes, return_freed_memory

BURST_BYTES, BLOCK_BYTES = 60 << 20, 1_024
MAX_BLOCKS = 2_000_000


LIBC = ctypes.CDLL(None)
LIBC.malloc.restype, LIBC.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]


def allocate(before: int) -> list[int]:
    """Allocate small blocks until the process has grown by 60 MiB.

    It may have free memory of earlier tests, which is used first.
    """
    blocks: list[int] = []
    while resident_bytes() < before + BURST_BYTES and len(blocks) < MAX_BLOCKS:
        for _ in range(1_000):
            blocks.append(LIBC.malloc(BLOCK_BYTES))
            ctypes.memset(blocks[-1], 1, BLOCK_BYTES)
    return blocks


def free(blocks: list[int]) -> None:
    """Free all but the last, so that the allocator alone would not return them."""
    for block in blocks[:-1]:
        LIBC.free(block)


@pytest.mark.parametrize("held_s", [0.0, 0.12], ids=["free at once", "in use at the first trim"])
async def test_memory_that_a_burst_left_is_returned(held_s: float) -> None:
    returning = asyncio.create_task(return_freed_memory(period_s=0.05))
    await asyncio.sleep(0)
    before = resident_bytes()
    blocks = allocate(before)
    assert resident_bytes() > before + BURST_BYTES // 2
    await asyncio.sleep(held_s)
    free(blocks)
    async with asyncio.timeout(PATIENCE_S):
        while resident_bytes() > before + BURST_BYTES // 4:
            await asyncio.sleep(0.05)
    returning.cancel()


def test_the_resident_memory_of_this_process_is_known() -> None:
    assert resident_bytes() > 1 << 20


def test_large_buffers_are_reused() -> None:
    """A buffer of 1 MiB has 256 pages, each of which costs a page fault when the system provides it again."""
    program = """
import resource
from workerpool_kit.runtime.memory import reuse_large_buffers

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(200):
        both = b"x" * (1 << 20), b"y" * (1 << 20)
        del both
    return (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / 200

unchanged = faults()
reuse_large_buffers()
faults()
print(unchanged, faults())
"""
    # In a process of its own: the setting holds for the whole process.
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    unchanged, reused = map(float, ended.stdout.split())
    assert reused < 10 < unchanged
