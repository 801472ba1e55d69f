"""The time of poolctl's commands, each a process of its own, beside the pages that they show."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from bench.history import History

_POOLCTL = Path(sys.executable).with_name("poolctl")
_HEAD = 14
"""Characters of an id that an operator types: 0x and 12 digits."""


def commands(history: History) -> dict[str, list[str]]:
    """Return the words of each command, by name."""
    task, bag, wallet = history.waiting_task, history.bag, history.wallet
    return {
        "status": ["status"],
        "status -o json": ["status", "-o", "json"],
        "workers": ["workers"],
        "tasks": ["tasks"],
        "tasks --status FAILED": ["tasks", "--status", "FAILED"],
        "tasks --deal (the largest)": ["tasks", "--deal", bag],
        "deals": ["deals"],
        "deals (the largest)": ["deals", bag],
        "task show (head of an id)": ["task", "show", task[:_HEAD]],
        "worker show (name)": ["worker", "show", history.name],
        "why (task)": ["why", task],
        "why (head of a task's id)": ["why", task[:_HEAD]],
        "why (wallet)": ["why", wallet],
        "why (head of a wallet)": ["why", wallet[:_HEAD]],
        "why (name of a worker)": ["why", history.name],
        "top --count 1": ["top", "--count", "1"],
    }


class Run(NamedTuple):
    """One run of a command, start and end of its process included."""

    ms: float
    processor_ms: float


async def measure_commands(core_url: str, history: History, times: int) -> dict[str, list[Run]]:
    """Return the runs of each command; a first one is not counted."""
    found: dict[str, list[Run]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, words in commands(history).items():
            await _run(words, core_url, folder)
            found[name] = [await _run(words, core_url, folder) for _ in range(times)]
    return found


async def _run(words: list[str], core_url: str, folder: str) -> Run:
    """Run a command in an empty folder. Raises RuntimeError when it fails."""
    started, before = time.monotonic(), os.times()
    process = await asyncio.create_subprocess_exec(
        _POOLCTL,
        *words,
        env={"PATH": os.environ["PATH"], "IEXEC_CORE_URL": core_url},
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    took, after = time.monotonic() - started, os.times()
    processor = sum(after[2:4]) - sum(before[2:4])
    if process.returncode:
        raise RuntimeError(f"poolctl {' '.join(words)} ended with {process.returncode}: {errors.decode()}")
    return Run(1_000 * took, 1_000 * processor)
