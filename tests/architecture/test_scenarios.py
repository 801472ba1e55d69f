"""Each scenario has a test that names its number: in its docstring, as `Scenario 14: …`, or in its name, `test_36_…`.

The numbers are those of section H of the behaviour spec, without the parts that need an enclave.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from architecture.tree import ROOT, files_of_tests

WORKER = {*range(9, 20), *range(22, 27)}
SERVICES = {
    "chain_adapter": {*range(27, 32)},
    "result_proxy": {*range(31, 36)},
    "sms": {*range(36, 39)},
}
CLIENT_OF_THE_ADAPTER = ROOT / "services/core/tests/adapters/grpc/test_chain_adapter.py"
IN_NAME = re.compile(r"test_(\d\d)_")
NAMED = re.compile(r"^Scenarios? (\d+(?:(?:, | and )\d+)*):")


def named(source: str) -> Iterator[int]:
    """Yield the numbers that the docstrings or the names of the tests of a module contain."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or not node.name.startswith("test_"):
            continue
        if number := IN_NAME.match(node.name):
            yield int(number[1])
        if found := NAMED.match(ast.get_docstring(node) or ""):
            yield from map(int, re.findall(r"\d+", found[1]))


def files_in(folder: Path) -> list[Path]:
    return [
        path for path in files_of_tests() if path.is_relative_to(folder) and path.name.startswith("test_")
    ]


def named_below(*folders: Path) -> set[int]:
    return {number for folder in folders for path in files_in(folder) for number in named(path.read_text())}


def test_every_scenario_of_the_worker_has_a_test_that_names_it() -> None:
    assert sorted(WORKER - named_below(ROOT / "services/worker/tests", ROOT / "tests")) == []


@pytest.mark.parametrize("service", SERVICES)
def test_every_scenario_of_a_service_has_a_test_that_names_it(service: str) -> None:
    assert sorted(SERVICES[service] - named_below(ROOT / f"services/{service}/tests")) == []


def test_the_client_of_the_adapter_names_its_part_of_scenario_30() -> None:
    assert list(named(CLIENT_OF_THE_ADAPTER.read_text())).count(30) >= 4


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


def test_the_number_of_a_name_is_read() -> None:
    assert list(named("async def test_36_a_secret_is_read(): ...\ndef test_3_no_scenario(): ...")) == [36]
