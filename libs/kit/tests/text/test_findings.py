"""Findings and their severities."""

import json
from enum import StrEnum

import yaml
from workerpool_kit.text.findings import Severity, has_problem, ok, problem, skipped, warning


class Code(StrEnum):
    """The codes of a command."""

    DISK_FULL = "DISK_FULL"


def test_only_a_problem_is_a_problem() -> None:
    harmless = [ok("a", "fine"), skipped("b", "a node"), warning("c", Code.DISK_FULL, "nearly full", "do")]
    assert not has_problem(harmless)
    assert has_problem([*harmless, problem("d", Code.DISK_FULL, "full", "do", why="why")])


def test_a_skipped_look_names_what_it_needs() -> None:
    found = skipped("owner", "a node of the chain")
    assert (found.severity, found.message) == (
        Severity.SKIPPED,
        "not checked: it needs a node of the chain",
    )


def test_a_finding_is_a_plain_document_for_programs() -> None:
    document = problem("disk", Code.DISK_FULL, "full", "do", why="why").document()
    assert json.loads(json.dumps(document)) == yaml.safe_load(yaml.safe_dump(document)) == document
    assert document == {
        "subject": "disk",
        "severity": "problem",
        "message": "full",
        "code": "DISK_FULL",
        "why": "why",
        "next_step": "do",
    }
    assert all(type(value) is str for value in ok("disk", "fine").document().values())
