"""Each log event is named `noun.verb_past`: what, then what happened to it, such as `task.finalized`."""

import ast
import re
from collections.abc import Iterator

import pytest
from architecture.tree import ROOT, source_modules

LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
FORM = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
IRREGULAR = {
    *("became", "begun", "broken", "caught", "fell", "found", "held", "kept", "left", "lost", "made", "put"),
    *("read", "seen", "sent", "taken", "undone", "withdrawn"),
}
NO_VERBS = {"unrevealed", "unused", "unreached", "unexpected", "unneeded"}
"""Words in -ed that describe a state."""


def is_named_well(event: str) -> bool:
    """Return whether a name is a noun, a dot, and words with a verb in the past among them."""
    if not FORM.fullmatch(event):
        return False
    words = event.partition(".")[2].split("_")
    return any(word in IRREGULAR or (word.endswith("ed") and word not in NO_VERBS) for word in words)


def events(source: str) -> Iterator[tuple[int, str | None]]:
    """Yield line and name of each event that a module logs; no name for one that is no literal."""
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
            continue
        if node.func.attr not in LEVELS or not _is_log(node.func.value):
            continue
        for event in _alternatives(node.args[0]):
            yield node.lineno, event


def _is_log(value: ast.expr) -> bool:
    name = value.attr if isinstance(value, ast.Attribute) else value.id if isinstance(value, ast.Name) else ""
    if isinstance(value, ast.Call):
        return _is_log(value.func)
    return name.strip("_").endswith(("log", "logger")) or (
        isinstance(value, ast.Attribute) and _is_log(value.value)
    )


def _alternatives(event: ast.expr) -> Iterator[str | None]:
    if isinstance(event, ast.IfExp):
        yield from _alternatives(event.body)
        yield from _alternatives(event.orelse)
    else:
        yield event.value if isinstance(event, ast.Constant) and isinstance(event.value, str) else None


def test_every_event_is_a_noun_and_what_happened_to_it() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {event}"
        for path in source_modules().values()
        for line, event in events(path.read_text())
        if event is not None and not is_named_well(event)
    ]
    assert wrong == []


def test_all_events_but_one_are_literals() -> None:
    """Two callers of one function name its event; such names cannot be checked here."""
    found = [event for path in source_modules().values() for _, event in events(path.read_text())]
    assert len(found) > 200
    assert found.count(None) <= 1


@pytest.mark.parametrize(
    ("event", "well"),
    [
        ("task.finalized", True),
        ("process.task_failed_while_stopping", True),
        ("follower.logs_found_late", True),
        ("transaction.sent", True),
        ("task_finalized", False),
        ("grpc.listening", False),
        ("result.bytes_missing", False),
        ("credentials.unused", False),
        ("the task was finalized.ended", False),
    ],
)
def test_names_are_judged_by_their_verb(event: str, well: bool) -> None:
    assert is_named_well(event) is well


def test_the_events_of_a_module_are_found() -> None:
    source = """
log.info("a.b")
self._log.warning("c.d" if x else "e.f", y=1)
self.log.bind(z=1).error(name)
other.info("x")
"""
    assert [event for _, event in events(source)] == ["a.b", "c.d", "e.f", None]
