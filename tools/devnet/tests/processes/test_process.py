import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from patience import PATIENCE_S
from workerpool_devnet.errors import ProcessError
from workerpool_devnet.processes.process import ManagedProcess


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while alive(pid):
        assert time.monotonic() < deadline, f"process {pid} lives on"
        time.sleep(0.01)


def test_stop_ends_the_children_of_the_process(tmp_path: Path) -> None:
    pid_file = tmp_path / "child"
    process = ManagedProcess(
        "parent", ["sh", "-c", f"sleep 60 & echo $! > {pid_file}; wait"], log=tmp_path / "log"
    )
    process.start()
    process.wait_until(lambda: pid_file.exists() and pid_file.read_text() != "", timeout=PATIENCE_S)
    process.stop()
    assert process.exit_code == -signal.SIGTERM
    wait_until_gone(int(pid_file.read_text()))


def test_a_process_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    process = ManagedProcess(
        "deaf", ["sh", "-c", "trap '' TERM; echo up; sleep 60 & wait; wait"], log=tmp_path / "log"
    )
    process.start()
    process.wait_until(lambda: "up" in process.log.read_text(), timeout=PATIENCE_S)
    process.stop(timeout=0.1)
    assert process.exit_code == -signal.SIGKILL


def test_an_early_end_is_reported_with_name_and_end_of_log(tmp_path: Path) -> None:
    process = ManagedProcess("broken", ["sh", "-c", "echo no such wallet; exit 3"], log=tmp_path / "log")
    process.start()
    with pytest.raises(ProcessError, match=r"(?s)broken ended with exit code 3.*no such wallet"):
        process.wait_until(lambda: False, timeout=PATIENCE_S)


def test_a_killed_parent_ends_its_processes(tmp_path: Path) -> None:
    program = (
        "import pathlib, sys, time\n"
        "from workerpool_devnet.processes.process import ManagedProcess\n"
        "p = ManagedProcess('x', ['sleep', '60'], log=pathlib.Path(sys.argv[1]))\n"
        "p.start()\n"
        "print(p.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "log")], stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert alive(child)
        os.kill(parent.pid, signal.SIGKILL)
    wait_until_gone(child)
