"""The state machines as Mermaid diagrams, generated from the tables for docs/state-machines.md.

Transitions that almost every status has (to FINAL_DEADLINE_REACHED, FAILED, WORKER_LOST, RECOVERING, ABORTED) are
omitted from the arrows and described in a sentence, as are the two statuses that almost any status may follow.
"""

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
    table: Mapping[_Status, frozenset[_Status]], omitted: frozenset[_Status], sources: frozenset[_Status]
) -> list[str]:
    return [
        f"    {current.value} --> {new.value}"
        for current, following in table.items()
        if current not in sources
        for new in type(current)
        if new in following and new not in omitted
    ]


def task_diagram() -> str:
    """Return the diagram of the task state machine."""
    deadline = frozenset({TaskStatus.FINAL_DEADLINE_REACHED})
    lines = ["stateDiagram-v2", f"    [*] --> {TaskStatus.RECEIVED.value}"]
    lines += _arrows(TASK_TRANSITIONS, deadline, frozenset())
    return "\n".join(lines)


def replicate_diagram() -> str:
    """Return the diagram of the replicate state machine; repairs are marked `proven`."""
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
    """Return both diagrams and the transitions that they omit, as Markdown."""
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
        "FINAL_DEADLINE_REACHED may follow every status that is not final. It is not drawn.",
        "",
        "```mermaid",
        task_diagram(),
        "```",
        "",
        "## Replicates",
        "",
        "Any other status may follow WORKER_LOST, and any but CREATED and STARTING may follow RECOVERING. Each of the",
        "statuses below may follow every other status except those named. These transitions are not drawn.",
        "",
        *(f"* {name.value}: not after {statuses}." for name, statuses in without.items()),
        "",
        "Each status is recorded at most once in a replicate's history. A transition marked `proven` is a repair by",
        "the scheduler: the chain or the result proxy proved that the work of a replicate that gave up succeeded.",
        "",
        "```mermaid",
        replicate_diagram(),
        "```",
    ]
    return "\n".join(lines)
