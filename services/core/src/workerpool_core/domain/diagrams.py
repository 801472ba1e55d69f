"""The state machines as Mermaid diagrams, drawn from the tables: `python -m workerpool_core.domain.diagrams`.

Steps that almost every status has (to the final deadline, FAILED, WORKER_LOST, RECOVERING, ABORTED) are left
out of the arrows and said in a sentence, as are the two statuses from which almost any may follow.
"""

import sys
from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from workerpool_poco.protocol.statuses import ReplicateStatus, TaskStatus

from workerpool_core.domain.replicates.replicate_machine import PROVEN, REPLICATE_TRANSITIONS
from workerpool_core.domain.tasks.task_machine import TASK_TRANSITIONS

_R = ReplicateStatus
_INTERLUDES = frozenset({_R.WORKER_LOST, _R.RECOVERING})
_EXITS = _INTERLUDES | {_R.FAILED, _R.ABORTED}


_Status = TypeVar("_Status", bound=StrEnum)


def _arrows(
    table: Mapping[_Status, frozenset[_Status]], left_out: frozenset[_Status], sources: frozenset[_Status]
) -> list[str]:
    return [
        f"    {current.value} --> {new.value}"
        for current, following in table.items()
        if current not in sources
        for new in type(current)
        if new in following and new not in left_out
    ]


def task_diagram() -> str:
    """Return the task machine."""
    deadline = frozenset({TaskStatus.FINAL_DEADLINE_REACHED})
    lines = ["stateDiagram-v2", f"    [*] --> {TaskStatus.RECEIVED.value}"]
    lines += _arrows(TASK_TRANSITIONS, deadline, frozenset())
    return "\n".join(lines)


def replicate_diagram() -> str:
    """Return the replicate machine; dotted lines are no part of it, so repairs carry the word `proven`."""
    lines = ["stateDiagram-v2", f"    [*] --> {_R.CREATED.value}"]
    lines += _arrows(REPLICATE_TRANSITIONS, _EXITS, _INTERLUDES)
    lines += [
        f"    {current.value} --> {new.value}: proven"
        for new, dead_ends in PROVEN.items()
        for current in _R
        if current in dead_ends
    ]
    return "\n".join(lines)


def document() -> str:
    """Return both diagrams with what they leave out, as Markdown."""
    without = {
        name: ", ".join(
            status.value
            for status in _R
            if status not in _INTERLUDES and name not in REPLICATE_TRANSITIONS[status]
        )
        for name in sorted(_EXITS)
    }
    lines = [
        "## Tasks",
        "",
        "Every status that is not an end may also be followed by FINAL_DEADLINE_REACHED.",
        "",
        "```mermaid",
        task_diagram(),
        "```",
        "",
        "## Replicates",
        "",
        "WORKER_LOST may be followed by any other status, RECOVERING by any but CREATED and STARTING.",
        "Each of these may follow every other status except the ones named:",
        "",
        *(f"* {name.value}: not after {statuses}." for name, statuses in without.items()),
        "",
        "A status is recorded once in a replicate's history. `proven` steps are repairs by the scheduler, when",
        "chain or result proxy prove what a worker had given up.",
        "",
        "```mermaid",
        replicate_diagram(),
        "```",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(document() + "\n")
