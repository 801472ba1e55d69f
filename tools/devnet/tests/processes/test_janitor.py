import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.errors import OptionsError
from workerpool_devnet.options import DevnetOptions
from workerpool_devnet.processes.janitor import WORKER_LABEL, remove_docker_leftovers, remove_run_folder

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
    return folder


def parent(folder: Path, logs: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PARENT, str(folder), str(folder.parent / "devnet.json"), logs]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    return process


def wait_until_missing(path: Path) -> None:
    deadline = time.monotonic() + 10
    while path.exists():
        assert time.monotonic() < deadline, f"{path} is still there"
        time.sleep(0.02)


def test_the_janitor_cleans_up_after_a_killed_devnet(run_folder: Path) -> None:
    with parent(run_folder, "remove") as process:
        os.kill(process.pid, signal.SIGKILL)
    wait_until_missing(run_folder)
    assert not (run_folder.parent / "devnet.json").exists()


def test_the_janitor_keeps_the_logs_of_a_folder_the_caller_chose(run_folder: Path) -> None:
    with parent(run_folder, "keep") as process:
        os.kill(process.pid, signal.SIGKILL)
    wait_until_missing(run_folder / "secrets")
    wait_until_missing(run_folder / "core")
    assert (run_folder / "logs" / "file").exists()


def test_a_dismissed_janitor_touches_nothing(run_folder: Path) -> None:
    with parent(run_folder, "remove") as process:
        process.communicate("stop\n", timeout=10)
    assert (run_folder / "secrets" / "file").exists()


def test_a_missing_run_folder_is_fine(tmp_path: Path) -> None:
    remove_run_folder(tmp_path / "never", keep_logs=False)
    remove_run_folder(tmp_path / "never", keep_logs=True)


async def test_a_folder_with_somebodys_files_is_no_run_folder(run_folder: Path) -> None:
    with pytest.raises(OptionsError, match="holds core, and all but its logs is removed"):
        await Devnet(DevnetOptions(folder=run_folder)).__aenter__()
    assert (run_folder / "secrets" / "file").exists()


@pytest.fixture
def engine() -> Iterator[docker.DockerClient]:
    client = docker.from_env()
    yield client
    client.close()


@pytest.mark.e2e
def test_docker_networks_of_our_workers_go_and_others_stay(engine: docker.DockerClient) -> None:
    ours, other = "0xours" + os.urandom(4).hex(), "0xother" + os.urandom(4).hex()
    engine.networks.create(f"test-{ours}", labels={WORKER_LABEL: ours})
    kept = engine.networks.create(f"test-{other}", labels={WORKER_LABEL: other})
    try:
        assert remove_docker_leftovers([ours]) == [f"test-{ours}"]
        assert remove_docker_leftovers([ours]) == []
        kept.reload()
    finally:
        kept.remove()
