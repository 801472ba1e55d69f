"""Texts of the commands: findings as lines, their sum, and what a terminal may show."""

import pytest
from workerpool_worker.cli import texts
from workerpool_worker.domain.diagnosis.findings import Code, Finding, ok, problem, skipped, warning

GOOD = ok("engine", "it answers")
SKIPPED = skipped("gas", "a wallet")
WARNING = warning("settings", Code.SECRET_EXPOSED, "others can read it", "Run: chmod 600 it")
PROBLEM = problem("disk", Code.DISK_FULL, "0 GiB free", "Free space.")


def test_an_ok_finding_is_one_line_without_a_code() -> None:
    assert list(texts.finding_lines([GOOD])) == ["ok       engine         it answers"]


def test_a_skipped_finding_shows_what_it_needs() -> None:
    assert list(texts.finding_lines([SKIPPED])) == ["skipped  gas            not checked: it needs a wallet"]


@pytest.mark.parametrize(("finding", "mark"), [(WARNING, "warning "), (PROBLEM, "PROBLEM ")])
def test_a_remedy_is_printed_below_its_finding(finding: Finding, mark: str) -> None:
    first, second = texts.finding_lines([finding])
    assert first.startswith(mark)
    assert first.endswith(f"[{finding.code}]")
    assert second.strip() == f"-> {finding.next_step}"
    assert first.index(finding.message) == second.index("->")


def test_findings_keep_their_order() -> None:
    lines = list(texts.finding_lines([PROBLEM, GOOD, WARNING]))
    assert [line.split()[0] for line in lines] == ["PROBLEM", "->", "ok", "warning", "->"]


@pytest.mark.parametrize(
    ("findings", "summary"),
    [
        ([], "This host can work."),
        ([GOOD, SKIPPED], "This host can work."),
        ([WARNING], "This host can work; 1 warning."),
        ([WARNING, WARNING], "This host can work; 2 warnings."),
        ([PROBLEM], "1 problem and 0 warnings; fix the problem."),
        ([PROBLEM, WARNING], "1 problem and 1 warning; fix the problem."),
        ([PROBLEM, PROBLEM], "2 problems and 0 warnings; fix the problems from top to bottom."),
    ],
)
def test_the_summary_counts(findings: list[Finding], summary: str) -> None:
    assert texts.summary(findings) == summary


def test_the_help_explains_every_exit_code() -> None:
    codes = (texts.EXIT_OK, texts.EXIT_FAILED, texts.EXIT_SETTINGS, texts.EXIT_NOT_RUNNING, texts.EXIT_UPDATE)
    assert len(set(codes)) == len(codes)
    assert all(f"{code} " in texts.EXIT_CODES for code in codes)
