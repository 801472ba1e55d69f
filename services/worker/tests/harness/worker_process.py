"""The worker as an operating system process."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from patience import PATIENCE_S
from workerpool_devnet.processes.worker_containers import remove_worker_containers
from workerpool_devnet.services.app_network import app_network

from services.worker.tests.harness.pool import Pool

PASSWORD = "only for tests"


class WorkerProcess:
    """A worker that a test starts, stops and kills. Its log survives restarts."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.environment = environment
        self.log_path = log
        self.process: subprocess.Popen[bytes] | None = None
        self.start_s = 0.0
        """Seconds until it was connected: a measure of the machine."""

    def within(self, seconds: float) -> float:
        """Return a time limit in seconds that grows on a machine on which the worker started slowly."""
        return max(seconds, 4 * self.start_s)

    def start(self, **changes: str) -> None:
        """Start it with changes of the environment."""
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "workerpool_worker"],
                env=self.environment | changes,
                stderr=log,
                stdout=log,
            )

    @property
    def running(self) -> subprocess.Popen[bytes]:
        """The process of the latest start."""
        assert self.process is not None, "the worker was not started"
        return self.process

    def kill(self) -> None:
        """Kill it with SIGKILL."""
        self.running.kill()
        self.running.wait()

    def stop(self, limit_s: float = PATIENCE_S) -> int:
        """Stop it with SIGTERM and return its exit code."""
        if self.running.poll() is None:
            self.running.send_signal(signal.SIGTERM)
        return self.running.wait(limit_s)

    async def exit_code(self, limit_s: float = PATIENCE_S) -> int:
        """Wait for its end and return its exit code."""
        return await asyncio.wait_for(asyncio.to_thread(self.running.wait), limit_s)

    @property
    def folder(self) -> Path:
        """The worker's own folder."""
        return Path(self.environment["IEXEC_WORKER_BASE_DIR"]) / self.environment["IEXEC_WORKER_NAME"]

    @property
    def log(self) -> str:
        """The log of all starts; empty before the first."""
        return self.log_path.read_text() if self.log_path.exists() else ""


@contextmanager
def worker_of(pool: Pool, folder: Path) -> Iterator[WorkerProcess]:
    """Make a worker of a pool, not started yet, that keeps its files in a folder. Remove its containers at the end."""
    keystore = folder / "wallet.json"
    pool.worker.write_keystore(keystore, PASSWORD, light=True)
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("IEXEC_", "WORKERPOOL_"))
    }
    process = WorkerProcess(
        inherited
        | {
            "IEXEC_WORKER_PORT": "0",
            "IEXEC_CORE_URL": pool.core.url,
            "POOL_ADDRESS": pool.core.configuration.workerpool,
            "IEXEC_WORKER_NAME": "test-worker",
            "IEXEC_WORKER_BASE_DIR": str(folder / "base"),
            "IEXEC_WORKER_OVERRIDE_AVAILABLE_CPU_COUNT": "2",
            "IEXEC_WORKER_WALLET_PATH": str(keystore),
            "IEXEC_WORKER_WALLET_PASSWORD": PASSWORD,
            "WORKERPOOL_WORKER_STARTUP_TIMEOUT": "3",
            "WORKERPOOL_WORKER_APP_NETWORK": app_network(),
            "WORKERPOOL_WORKER_DOWNLOAD_ALLOWED_HOSTS": "127.0.0.1/32",
        },
        folder / "worker.log",
    )
    try:
        yield process
    finally:
        if process.process is not None and process.process.poll() is None:
            process.kill()
        remove_worker_containers([pool.worker.address])
