import os
import subprocess
import sys

from workerpool_devnet.processes import parent_death


def run(parent: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-S", parent_death.__file__, str(parent), "echo", "started"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_process_becomes_the_command() -> None:
    assert run(os.getpid()).stdout == "started\n"


def test_the_command_does_not_start_when_the_parent_has_died() -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    assert (run(dead.pid).stdout, run(dead.pid).returncode) == ("", 1)
