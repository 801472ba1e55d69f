"""The launcher of the binary: one sentence on a system that is too old, else the program in its place."""

import os
import subprocess
from pathlib import Path

import pytest
from worker_release.package import launcher

LOADER = Path("/bin/sh")
"""A file that exists."""


@pytest.fixture
def start(tmp_path: Path) -> Path:
    """Return a launcher for glibc 2.36, beside a program that prints its arguments."""
    program = tmp_path / "opt/lib/poolworker"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\necho "$$ started with:" "$@"\nexit 7\n')
    program.chmod(0o755)
    return written(tmp_path / "opt/poolworker", launcher("2.36", LOADER))


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


def launch(start: Path, tmp_path: Path, answer: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a launcher on a system whose getconf answers so."""
    tools = tmp_path / "tools"
    tools.mkdir(exist_ok=True)
    written(tools / "getconf", f"#!/bin/sh\n{answer}\n")
    environment = os.environ | {"PATH": f"{tools}:{os.environ['PATH']}"}
    return subprocess.run([start, *arguments], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("have", ["2.36", "2.36.9000", "2.40", "2.100", "3.0"])
def test_a_system_that_is_new_enough_starts_the_program(start: Path, tmp_path: Path, have: str) -> None:
    done = launch(start, tmp_path, f"echo glibc {have}", "run", "two words")
    assert (done.returncode, done.stderr) == (7, "")
    assert done.stdout.endswith("started with: run two words\n")


@pytest.mark.parametrize("have", ["2.35", "2.9", "2.31.9000", "1.99"])
def test_an_older_system_is_refused_in_one_sentence(start: Path, tmp_path: Path, have: str) -> None:
    done = launch(start, tmp_path, f"echo glibc {have}", "run")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"poolworker: it needs glibc 2.36 or newer and this system has {have}; "
        "use a newer system, or install the worker's wheel with pip\n"
    )


@pytest.mark.parametrize("answer", ["exit 1", "echo undefined", "exit 127"])
def test_a_system_of_unknown_version_is_left_to_the_loader(start: Path, tmp_path: Path, answer: str) -> None:
    assert launch(start, tmp_path, answer).returncode == 7


def test_another_library_or_processor_is_refused_by_the_missing_loader(start: Path, tmp_path: Path) -> None:
    written(start, launcher("2.36", "/nowhere/ld-linux-x86-64.so.2"))
    done = launch(start, tmp_path, "echo glibc 2.40")
    assert done.returncode == 1
    assert "needs glibc 2.36 or newer and does not find /nowhere/ld-linux-x86-64.so.2 here" in done.stderr


def test_links_lead_to_the_program(start: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "current").symlink_to("opt")
    (tmp_path / "bin/poolworker").symlink_to("../current/poolworker")
    assert launch(tmp_path / "bin/poolworker", tmp_path, "echo glibc 2.36").returncode == 7


def test_the_program_replaces_the_launcher(start: Path) -> None:
    """So that signals of a service manager reach it."""
    with subprocess.Popen([start], stdout=subprocess.PIPE, text=True) as process:
        said = process.communicate()[0]
    # This system may be older than the launcher asks for.
    assert not said or said.startswith(f"{process.pid} started")
