"""The composition root: a failed start closes what it opened."""

import socket
from pathlib import Path

import pytest
from workerpool_kit.process import Lifetime, StartupError
from workerpool_kit.settings.environment import load
from workerpool_worker.composition import serve
from workerpool_worker.settings import WorkerSettings

from services.worker.tests.harness.builders import WORKER


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
