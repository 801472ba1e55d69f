"""Findings and their severities."""

from poolctl.domain.diagnosis.findings import Code, Severity, has_problem, ok, problem, skipped, warning


def test_only_a_problem_is_a_problem() -> None:
    harmless = [ok("a", "fine"), skipped("b", "a node"), warning("c", Code.NO_WORKERS, "none", "why", "do")]
    assert not has_problem(harmless)
    assert has_problem([*harmless, problem("d", Code.DISK_FULL, "full", "why", "do")])


def test_a_skipped_look_names_what_it_needs() -> None:
    found = skipped("owner", "a node of the chain")
    assert (found.severity, found.what) == (Severity.SKIPPED, "not looked at: it needs a node of the chain")
