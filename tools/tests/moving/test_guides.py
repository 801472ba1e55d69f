"""Each line of the older guides works and is run by a test, or has something in its place."""

import pytest
from moving.guides import GUIDES, MANUAL, Guide, older_guides_page
from moving.older_variables import PROCESSES
from moving.page import Answer, answer
from pool_env.env_file import parse
from sdk.scenarios import seed_001
from stack.compose_files import ROOT
from stack.guide_lines import CHECKS, ELSEWHERE

SETTINGS = {("001", line) for line in (*range(197, 207), 213)}
"""Lines that name variables of .env."""
CORE = {("002", line) for line in range(76, 93)}
"""Lines that name variables of core."""


def works(guide: Guide) -> set[tuple[str, int]]:
    return {(guide.name, number) for number, line in guide.lines.items() if line.works}


def test_a_test_runs_every_line_that_works_and_no_other() -> None:
    run = {*CHECKS, *ELSEWHERE, *SETTINGS, *(("001", line) for line in seed_001.RUNS)}
    run |= {(name, line) for name, line in CORE if MANUAL.lines[line].works}
    assert run - {("001", 285)} == set().union(*map(works, GUIDES))


def test_tests_of_their_own_exist() -> None:
    assert [path for path in ELSEWHERE.values() if not (ROOT / path).is_file()] == []


def test_variables_of_the_environment_file_have_their_older_names() -> None:
    known = parse((ROOT / ".env.example").read_text())
    (guide,) = (guide for guide in GUIDES if guide.name == "001")
    named = {name for _, line in SETTINGS for name in guide.lines[line].text.split(", ")}
    assert named - known.keys() == set()


@pytest.mark.parametrize("line", sorted(line for _, line in CORE))
def test_a_variable_of_core_is_read_or_said_to_have_no_effect(line: int) -> None:
    (process,) = (process for process in PROCESSES if process.service == "core")
    found: Answer = answer(process, MANUAL.lines[line].text)
    assert found.kind == ("same" if MANUAL.lines[line].works else "no effect")


def test_every_line_is_on_the_page() -> None:
    page = older_guides_page()
    for guide in GUIDES:
        for number, line in guide.lines.items():
            assert f"| {number} | `{line.text}` | " in page
