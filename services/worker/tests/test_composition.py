"""The composition root: a failed start closes what it opened."""

import socket
from pathlib import Path

import pytest
import structlog
from workerpool_kit.process import Lifetime, StartupError
from workerpool_kit.settings.environment import load
from workerpool_worker import composition
from workerpool_worker.adapters.files.workspace import DiskWorkspace
from workerpool_worker.composition import remove_folders, serve
from workerpool_worker.settings import WorkerSettings

from services.worker.tests.harness.builders import OTHER_TASK_ID, TASK_ID, WORKER
from services.worker.tests.harness.gpus import LISTED


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_a_failed_start_releases_its_ports(tmp_path: Path) -> None:
    port = free_port()
    settings = load(
        WorkerSettings,
        {
            "POOL_ADDRESS": WORKER,
            "IEXEC_WORKER_PORT": str(port),
            "WORKERPOOL_GRPC_PORT": "0",
            "IEXEC_WORKER_WALLET_PATH": str(tmp_path / "none.json"),
        },
    )
    for _ in range(2):
        with pytest.raises(StartupError, match="check IEXEC_WORKER_WALLET_PATH"):
            await serve(settings, Lifetime())
    with socket.socket() as again:
        again.bind(("127.0.0.1", port))


@pytest.mark.parametrize("gpus", [(), LISTED])
def test_a_worker_registers_and_gives_the_gpus_that_its_host_has(gpus: tuple[str, ...]) -> None:
    settings = load(WorkerSettings, {"POOL_ADDRESS": WORKER, "IEXEC_WORKER_GPU_ENABLED": "true"})
    assert composition._host_model(settings, "1", 1, 1 << 30, gpus).gpus == len(gpus)
    assert composition._policy(settings, 1, 1 << 30, gpus).gpus_per_task == bool(gpus)


async def test_folders_that_cannot_be_removed_do_not_block_the_start(tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as lines:
        await remove_folders(DiskWorkspace(tmp_path / "none"), frozenset())
    assert [line["event"] for line in lines] == ["leftovers.removal_failed"]


async def test_folders_of_no_replicate_are_removed(tmp_path: Path) -> None:
    for name in (TASK_ID, OTHER_TASK_ID):
        (tmp_path / name).mkdir()
    await remove_folders(DiskWorkspace(tmp_path), frozenset({TASK_ID}))
    assert [each.name for each in tmp_path.iterdir()] == [TASK_ID]
