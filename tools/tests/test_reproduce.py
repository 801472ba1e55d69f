"""The table of past bugs: its commits and tests exist, and each command shows its bug."""

import subprocess
from pathlib import Path

import pytest
import reproduce

BUGS = reproduce.read_bugs()
# Old code does not change: CI shows three bugs, so that the command works, and `make soak` shows all.
SHOWN_IN_CI = 3


def history() -> None:
    """Skip where git or the history is missing, as in an unpacked archive or a shallow clone."""
    try:
        shallow = reproduce.git("rev-parse", "--is-shallow-repository").strip()
    except (FileNotFoundError, reproduce.ReproduceError):
        pytest.skip("this is no git clone")
    if shallow == "true":
        pytest.skip("the clone is shallow")


def test_bugs_are_numbered_by_their_places() -> None:
    assert [bug.number for bug in BUGS] == list(range(1, len(BUGS) + 1))
    assert len({bug.fix for bug in BUGS}) == len(BUGS)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: str(bug.number))
def test_the_fix_of_a_bug_carries_its_tests(bug: reproduce.Bug) -> None:
    history()
    reproduce.git("merge-base", "--is-ancestor", bug.fix, "HEAD")
    for test in bug.tests:
        path, _, name = test.partition("::")
        assert f"def {name}(" in reproduce.git("show", f"{bug.fix}:{path}")


def test_only_files_of_the_tests_are_put_into_the_code_before_the_fix() -> None:
    assert reproduce.is_test_file("services/core/tests/domain/test_uploads.py")
    assert reproduce.is_test_file("conftest.py")
    assert not reproduce.is_test_file("services/core/src/workerpool_core/settings.py")


def test_a_bug_whose_tests_pass_before_the_fix_is_not_reproduced(monkeypatch: pytest.MonkeyPatch) -> None:
    history()
    monkeypatch.setattr(reproduce, "environment", lambda commit: Path("python"))
    monkeypatch.setattr(reproduce, "run_tests", lambda tree, python, tests: (0, "1 passed"))
    with pytest.raises(reproduce.ReproduceError, match="do not fail before the fix"):
        reproduce.reproduce(BUGS[0])


def test_an_unknown_number_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert reproduce.main(["0"]) == 2
    assert "docs/robustness.md" in capsys.readouterr().err


@pytest.mark.parametrize(
    "bug",
    [
        pytest.param(
            bug, id=str(bug.number), marks=pytest.mark.full if bug.number <= SHOWN_IN_CI else pytest.mark.soak
        )
        for bug in BUGS
    ],
)
def test_every_past_bug_is_shown_by_its_command(bug: reproduce.Bug) -> None:
    history()
    done = subprocess.run(
        ["make", "--no-print-directory", f"reproduce-{bug.number}"],
        cwd=reproduce.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
