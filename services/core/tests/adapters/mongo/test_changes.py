"""Merging never changes what a sequence of changes means."""

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from workerpool_core.adapters.mongo.changes import Change, Kind, merge, merge_all

STATUSES = ["A", "B", "C", "D"]


def alter(expected: str, *statuses: str, **fields: Any) -> Change:
    history = [{"status": status} for status in statuses]
    values = fields | ({"status": statuses[-1]} if statuses else {})
    return Change("task", "1", Kind.ALTER, expected=expected, history=history, fields=values)


def create(status: str) -> Change:
    return Change("task", "1", Kind.CREATE, {"status": status, "history": [{"status": status}]})


def apply(store: dict[str, Any], change: Change) -> None:
    """What a change means, written plainly."""
    match change.kind:
        case Kind.CREATE:
            store.setdefault(change.id, copy.deepcopy(change.document))
        case Kind.PUT:
            store[change.id] = copy.deepcopy(change.document)
        case Kind.REMOVE:
            store.pop(change.id, None)
        case Kind.ALTER:
            assert store[change.id]["status"] == change.expected
            store[change.id]["history"] += change.history
            store[change.id].update(change.fields)


@given(
    st.lists(st.tuples(st.lists(st.sampled_from(STATUSES), max_size=3), st.integers(0, 9)), max_size=8),
    st.booleans(),
)
def test_a_merged_sequence_has_the_same_effect(steps: list[tuple[list[str], int]], created: bool) -> None:
    changes = [create("A")] if created else []
    status = "A"
    for statuses, value in steps:
        changes.append(alter(status, *statuses, value=value))
        status = statuses[-1] if statuses else status
    start: dict[str, Any] = {} if created else {"1": {"status": "A", "history": [{"status": "A"}]}}
    one_by_one, merged = copy.deepcopy(start), copy.deepcopy(start)
    for change in copy.deepcopy(changes):
        apply(one_by_one, change)
    for change in merge_all(copy.deepcopy(changes)):
        apply(merged, change)
    assert merged == one_by_one
    assert len(merge_all(changes)) <= 1


def test_the_first_expectation_counts() -> None:
    merged = merge(alter("A", "B"), alter("B", "C", x=1))
    assert merged.expected == "A"
    assert [entry["status"] for entry in merged.history] == ["B", "C"]
    assert merged.fields == {"status": "C", "x": 1}


def test_a_created_and_acknowledged_command_leaves_nothing() -> None:
    queued = Change("command", "w:1", Kind.CREATE, {"sequence": 1}, exclusive=True)
    merged = merge(queued, Change("command", "w:1", Kind.REMOVE))
    assert merged.kind is Kind.REMOVE


def test_the_first_logs_win() -> None:
    first = Change("taskLogs", "1", Kind.CREATE, {"stdout": "first"})
    merged = merge(first, Change("taskLogs", "1", Kind.CREATE, {"stdout": "second"}))
    assert merged.document == {"stdout": "first"}


def test_the_last_worker_wins() -> None:
    merged = merge(Change("worker", "w", Kind.PUT, {"v": 1}), Change("worker", "w", Kind.PUT, {"v": 2}))
    assert merged.document == {"v": 2}


def test_a_change_survives_the_journal() -> None:
    change = alter("A", "B", x=1)
    assert Change.from_bson(change.to_bson(), 0) == change
