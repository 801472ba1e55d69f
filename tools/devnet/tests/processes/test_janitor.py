import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from patience import PATIENCE_S
from workerpool_devnet.processes import janitor

PARENT = """
import sys, time
from pathlib import Path
from workerpool_devnet.processes.janitor import Janitor
janitor = Janitor(Path(sys.argv[1]), [], keep_logs=sys.argv[3] == "keep")
janitor.remove_also(Path(sys.argv[2]))
print("up", flush=True)
if sys.stdin.readline():
    janitor.dismiss()
"""


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    for name in ("logs", "secrets", "core"):
        (folder / name).mkdir(parents=True)
        (folder / name / "file").write_text("content")
    (tmp_path / "devnet.json").write_text("{}")
    (tmp_path / "keystore").mkdir()
    return folder


def parent(folder: Path, logs: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PARENT, str(folder), str(folder.parent / "devnet.json"), logs]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    return process


def wait_until_missing(path: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while path.exists():
        assert time.monotonic() < deadline, f"{path} is still there"
        time.sleep(0.02)


def test_the_janitor_cleans_up_after_a_killed_devnet(run_folder: Path) -> None:
    with parent(run_folder, "remove") as process:
        os.kill(process.pid, signal.SIGKILL)
    wait_until_missing(run_folder)
    assert not (run_folder.parent / "devnet.json").exists()


def test_the_janitor_keeps_the_logs_when_asked(run_folder: Path) -> None:
    with parent(run_folder, "keep") as process:
        os.kill(process.pid, signal.SIGKILL)
    wait_until_missing(run_folder / "secrets")
    wait_until_missing(run_folder / "core")
    assert (run_folder / "logs" / "file").exists()


def test_a_dismissed_janitor_removes_nothing(run_folder: Path) -> None:
    with parent(run_folder, "remove") as process:
        process.communicate("stop\n", timeout=PATIENCE_S)
    assert (run_folder / "secrets" / "file").exists()


@pytest.mark.parametrize(("last_line", "removed"), [("", True), ("dismiss\n", False)])
def test_a_closed_pipe_means_cleanup_unless_the_janitor_was_dismissed(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch, last_line: str, removed: bool
) -> None:
    document = run_folder.parent / "devnet.json"
    task = json.dumps({"folder": str(run_folder), "keep_logs": False, "wallets": []})
    keystore = run_folder.parent / "keystore"
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{task}\n{document}\n{keystore}\n{last_line}"))
    janitor.main()
    gone = [not path.exists() for path in (run_folder, document, keystore)]
    assert gone == [removed] * 3
