"""Each scenario of the worker's behaviour has a test that names its number in its docstring: `Scenario 14: …`.

The numbers are those of section H of the behaviour spec, without the parts that need an enclave.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from architecture.tree import ROOT, files_of_tests

FOLDERS = (ROOT / "services/worker/tests", ROOT / "tests")
WORKER = {*range(9, 20), *range(22, 27)}
NAMED = re.compile(r"^Scenarios? (\d+(?:(?:, | and )\d+)*):")


def named(source: str) -> Iterator[int]:
    """Yield the numbers that the docstrings of the tests of a module name."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or not node.name.startswith("test_"):
            continue
        if found := NAMED.match(ast.get_docstring(node) or ""):
            yield from map(int, re.findall(r"\d+", found[1]))


def files_in(folder: Path) -> list[Path]:
    return [
        path for path in files_of_tests() if path.is_relative_to(folder) and path.name.startswith("test_")
    ]


def test_every_scenario_of_the_worker_has_a_test_that_names_it() -> None:
    found = {number for folder in FOLDERS for path in files_in(folder) for number in named(path.read_text())}
    assert sorted(WORKER - found) == []


@pytest.mark.parametrize(
    ("docstring", "numbers"),
    [
        ("Scenario 14: bad command.", [14]),
        ("Scenarios 17 and 18: a failed download.", [17, 18]),
        ("Scenarios 9, 16 and 22: all three.", [9, 16, 22]),
        ("Case 14: of another list.", []),
    ],
)
def test_the_numbers_of_a_docstring_are_read(docstring: str, numbers: list[int]) -> None:
    assert list(named(f'def test_it():\n    """{docstring}"""')) == numbers
