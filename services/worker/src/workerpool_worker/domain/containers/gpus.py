"""The GPUs of a host by the ids that the container engine knows them by."""

import re
from collections.abc import Sequence

_GPU = re.compile(r"GPU \d+: .*\(UUID: (GPU-[0-9A-Za-z-]+)\)")
_PART = re.compile(r"MIG .*\(UUID: (MIG-[0-9A-Za-z/-]+)\)")

GPU_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._:/-]*")
"""An id as an operator may write it: an index, a UUID, or the UUID of a part of a GPU (MIG)."""


def parse_gpus(listing: str) -> tuple[str, ...]:
    """Return the UUIDs in the output of `nvidia-smi -L`. A GPU that is divided into parts (MIG) counts as its parts."""
    found: list[str] = []
    whole = ""
    for line in map(str.strip, listing.splitlines()):
        if gpu := _GPU.fullmatch(line):
            whole = gpu[1]
            found.append(whole)
        elif part := _PART.fullmatch(line):
            if found and found[-1] == whole:
                found.pop()
            found.append(part[1])
    return tuple(found)


def gpu_problem(gpus: Sequence[str], per_task: int) -> str:
    """Return why the GPUs of a host cannot serve a task that requires one; empty if they can."""
    if not gpus:
        return "no GPU is found on this host"
    if len(gpus) < per_task:
        return f"a task gets {per_task} GPUs, and this host has {len(gpus)}"
    return ""
