"""Write the parts of docs/ that are derived from code: the settings tables and the state machines.

With --check nothing is written and the exit code says whether docs/ is up to date; a test runs it.
"""

import importlib
import sys
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from workerpool_core.domain.replicate_machine import REPLICATE_TRANSITIONS
from workerpool_core.domain.task_machine import TASK_TRANSITIONS
from workerpool_kit.settings import Settings, settings_table
from workerpool_poco.statuses import ReplicateStatus as R
from workerpool_poco.statuses import TaskStatus as T

ROOT = Path(__file__).resolve().parent.parent
SERVICES = {
    "core": "CoreSettings",
    "chain_adapter": "ChainAdapterSettings",
    "result_proxy": "ResultProxySettings",
    "registry": "RegistrySettings",
    "worker": "WorkerSettings",
}


def settings_page() -> str:
    """Every environment variable of every process."""
    parts = [
        "# Settings\n\nMade by `make docs` from the services' settings classes; do not edit.\n\n"
        "Every process is configured by environment variables. A secret `NAME` can also be given as `NAME_FILE`,\n"
        "the path of a file that holds it. A variable with a service's own prefix that it does not know is refused.\n"
    ]
    for service, name in SERVICES.items():
        settings: type[Settings] = getattr(importlib.import_module(f"workerpool_{service}.settings"), name)
        parts.append(f"\n## {service}\n\n{settings_table(settings).strip()}\n")
    return "".join(parts)


def machines_page() -> str:
    """The life of tasks and replicates as diagrams, and every legal step as a table."""
    side = {"F": R.FAILED, "L": R.WORKER_LOST, "R": R.RECOVERING, "A": R.ABORTED}
    anything = {R.RECOVERING, R.WORKER_LOST}
    normal = {
        status: sorted(after - set(side.values()), key=list(R).index)
        for status, after in REPLICATE_TRANSITIONS.items()
        if status not in anything
    }
    rows = [
        f"| {status.name} | "
        + (_but(after) if status in anything else ", ".join(n.name for n in normal[status]) or "–")
        + "".join(f" | {'x' if target in after else ''}" for target in side.values())
        + " |"
        for status, after in REPLICATE_TRANSITIONS.items()
    ]
    tasks = {
        status: sorted(after - {T.FINAL_DEADLINE_REACHED}, key=list(T).index)
        for status, after in TASK_TRANSITIONS.items()
    }
    return (
        "# State machines\n\n"
        "Made by `make docs` from the tables in `services/core/src/workerpool_core/domain`; do not edit.\n\n"
        "## Tasks\n\nA task in any status that is not final may also enter FINAL_DEADLINE_REACHED.\n"
        "A failure and the FAILED after it are written together.\n\n"
        f"{_diagram(T.RECEIVED, tasks, {T.COMPLETED, T.FAILED})}\n"
        "## Replicates\n\nThe steps of a replicate whose worker and task do well or fail by themselves:\n\n"
        f"{_diagram(R.CREATED, normal, {R.COMPLETED, R.FAILED})}\n"
        "Every legal step; F = FAILED, L = WORKER_LOST, R = RECOVERING, A = ABORTED:\n\n"
        "| from | next | F | L | R | A |\n|---|---|---|---|---|---|\n" + "\n".join(rows) + "\n"
    )


def _diagram(first: Enum, steps: Mapping[Any, Iterable[Enum]], final: set[Any]) -> str:
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {first.name}"]
    lines += [
        f"    {status.name} --> {after.name}" for status, all_after in steps.items() for after in all_after
    ]
    lines += [f"    {status.name} --> [*]" for status in sorted(final, key=lambda status: status.name)]
    return "\n".join([*lines, "```", ""])


def _but(after: frozenset[R]) -> str:
    """Name the statuses that may not follow, for a status that nearly everything may follow."""
    return "any but " + ", ".join(status.name for status in R if status not in after)


PAGES: dict[str, Callable[[], str]] = {"settings.md": settings_page, "state-machines.md": machines_page}


def main(arguments: list[str]) -> int:
    """Write the pages, or with --check compare them; returns the exit code."""
    stale = 0
    for name, page in PAGES.items():
        path, text = ROOT / "docs" / name, page()
        if path.exists() and path.read_text() == text:
            continue
        stale += 1
        if "--check" in arguments:
            sys.stderr.write(f"docs/{name} is not what the code says: run `make docs`\n")
        else:
            path.write_text(text)
            sys.stderr.write(f"docs/{name} written\n")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
