"""Progress goes to stderr, and only to a terminal."""

import sys

import pytest
from poolctl.adapters.progress import stderr_console


def test_a_pipe_gets_no_progress(capsys: pytest.CaptureFixture[str]) -> None:
    with stderr_console().status("working"):
        pass
    assert stderr_console().file is sys.stderr
    assert capsys.readouterr() == ("", "")
