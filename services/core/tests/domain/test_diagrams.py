"""The diagrams show exactly the tables."""

from typing import Any

from workerpool_core.domain.diagrams import document, replicate_diagram, task_diagram
from workerpool_core.domain.replicates.replicate_machine import REPLICATE_TRANSITIONS
from workerpool_core.domain.tasks.task_machine import TASK_TRANSITIONS
from workerpool_poco.protocol.statuses import ReplicateStatus, TaskStatus


def arrows(diagram: Any) -> Any:
    lines = [line.strip() for line in diagram.split("\n") if "-->" in line and "proven" not in line]
    return {tuple(line.split(" --> ")) for line in lines if not line.startswith("[*]")}


def test_the_task_diagram_has_every_transition_except_those_to_the_final_deadline() -> None:
    table = {(a.value, b.value) for a in TaskStatus for b in TASK_TRANSITIONS[a]}
    missing = table - arrows(task_diagram())
    assert arrows(task_diagram()) <= table
    assert {new for _, new in missing} == {"FINAL_DEADLINE_REACHED"}


def test_the_replicate_diagram_has_the_usual_transitions() -> None:
    table = {(a.value, b.value) for a in ReplicateStatus for b in REPLICATE_TRANSITIONS[a]}
    drawn = arrows(replicate_diagram())
    assert drawn <= table
    assert ("COMPUTED", "CONTRIBUTING") in drawn
    assert ("ABORTED", "COMPLETED") in drawn


def test_the_document_describes_the_omitted_transitions() -> None:
    assert "* ABORTED: not after COMPLETED, FAILED, ABORTED." in document()
