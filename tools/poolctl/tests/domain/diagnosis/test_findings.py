"""The findings of doctor say what follows from each."""

from poolctl.domain.diagnosis.findings import Code, Severity, problem, warning


def test_a_problem_and_a_warning_say_why_and_what_to_do() -> None:
    for finding, severity in (
        (problem("disk", Code.DISK_FULL, "full", "databases stop", "free space"), Severity.PROBLEM),
        (warning("disk", Code.DISK_FULL, "full", "databases stop", "free space"), Severity.WARNING),
    ):
        assert finding.severity is severity
        assert (finding.why, finding.next_step) == ("databases stop", "free space")
