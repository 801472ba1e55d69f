"""Documents name only files that exist, and the glossary stays a list of single lines."""

import ast
import re
from pathlib import Path

import pytest
from architecture.tree import ROOT, files_of_tests, source_modules

IGNORED = {".venv", ".cache", "node_modules", "third_party", ".git", ".pytest_cache"}
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)")
PATH = re.compile(r"`((?:libs|services|protos|tools|tests|docs)/[\w./-]*)`")
STOP = re.compile(r"^\d+\. `(?P<path>[^`]+)`: `(?P<name>[\w.]+)` \S", re.MULTILINE)
MODULE = re.compile(r"`([\w/]+\.py)`")
TERM = re.compile(r"^- \*\*[^*]+\*\*: \S.*$")


def documents() -> list[Path]:
    """Return every Markdown file of the repository."""
    return [p for p in sorted(ROOT.rglob("*.md")) if not IGNORED.intersection(p.relative_to(ROOT).parts)]


@pytest.mark.parametrize("document", documents(), ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_of_a_document_leads_to_a_file(document: Path) -> None:
    missing = [link for link in LINK.findall(document.read_text()) if not (document.parent / link).exists()]
    assert not missing


def defines(path: Path, dotted: str) -> bool:
    """Return whether a module defines a function, a class, or a method given as `Class.method`."""
    body: list[ast.stmt] = ast.parse(path.read_text()).body
    for name in dotted.split("."):
        found = [
            node
            for node in body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name == name
        ]
        if not found:
            return False
        body = found[0].body
    return True


def test_every_path_in_contributing_exists() -> None:
    assert PATH.findall((ROOT / "CONTRIBUTING.md").read_text())


@pytest.mark.parametrize("document", documents(), ids=lambda p: str(p.relative_to(ROOT)))
def test_every_path_and_module_that_a_document_names_exists(document: Path) -> None:
    text = document.read_text()
    folders = (ROOT, document.parent)
    assert [path for path in PATH.findall(text) if not any((each / path).exists() for each in folders)] == []
    modules = {f"/{path.relative_to(ROOT)}" for path in (*source_modules().values(), *files_of_tests())}
    named = [] if document.name == "CHANGELOG.md" else MODULE.findall(text)
    named = [name for name in named if not (ROOT / name).exists()]
    assert [name for name in named if not any(path.endswith(f"/{name}") for path in modules)] == []


def test_three_walks_name_existing_code_in_at_most_ten_steps() -> None:
    _, _, walks = (ROOT / "CONTRIBUTING.md").read_text().partition("## Three walks")
    stops = [list(STOP.finditer(walk)) for walk in walks.partition("\n## ")[0].split("\n### ")[1:]]
    assert [1 <= len(walk) <= 10 for walk in stops] == [True] * 3
    gone = [
        f"{stop['path']}: {stop['name']}"
        for walk in stops
        for stop in walk
        if not (ROOT / stop["path"]).is_file() or not defines(ROOT / stop["path"], stop["name"])
    ]
    assert gone == []


def test_the_glossary_explains_each_term_in_one_line_in_alphabetical_order() -> None:
    _, _, body = (ROOT / "docs/glossary.md").read_text().partition("\n## ")
    lines = [line for line in body.splitlines()[1:] if line and not line.startswith("## ")]
    assert [line for line in lines if not TERM.match(line)] == []
    for section in body.split("\n## "):
        terms = [line[4 : line.index("**:")].casefold() for line in section.splitlines()[1:] if line]
        assert terms == sorted(set(terms))


def test_the_index_names_every_decision_record() -> None:
    index = (ROOT / "docs/adr/README.md").read_text()
    records = sorted(p.name for p in (ROOT / "docs/adr").glob("[0-9]*.md"))
    assert records
    assert [name for name in records if f"({name})" not in index] == []
