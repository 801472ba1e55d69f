"""Output of a bench: progress lines, tables, and a JSON file."""

from __future__ import annotations

import json
import math
import os
import platform
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

FOLDER = Path(__file__).resolve().parents[2] / ".cache" / "bench"
"""Folder of the figures and working files of benches."""
_STARTED = time.monotonic()
_console = Console(width=None if Console().is_terminal else 160)


def say(line: str) -> None:
    """Print a line of progress with the seconds since the start."""
    _console.print(f"[dim]{time.monotonic() - _STARTED:6.1f} s[/dim]  {line}", highlight=False)


def show(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; the first column is text, the others are figures."""
    table = Table(title=title, title_justify="left", title_style="bold")
    for place, name in enumerate(head):
        table.add_column(name, justify="right" if place else "left")
    for row in rows:
        table.add_row(*row)
    _console.print(table)


def write(name: str, figures: Mapping[str, Any]) -> Path:
    """Write the figures and the machine to `.cache/bench/<name>.json`; return the path."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    machine = {"cpus": os.cpu_count(), "load": os.getloadavg(), "python": platform.python_version()}
    path = FOLDER / f"{name}.json"
    path.write_text(json.dumps({"machine": machine, "at": time.time(), **figures}, indent=2) + "\n")
    return path


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that `percent` of all values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def verdict(holds: bool) -> str:
    """Return the text for a met or missed target."""
    return "[green]met[/green]" if holds else "[red]missed[/red]"
