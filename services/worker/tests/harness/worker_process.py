"""The worker as an operating system process."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path


class WorkerProcess:
    """A worker that a test starts, stops and kills. Its log survives restarts."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.environment = environment
        self.log_path = log
        self.process: subprocess.Popen[bytes] | None = None

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

    def stop(self, limit_s: float = 15) -> int:
        """Stop it with SIGTERM and return its exit code."""
        if self.running.poll() is None:
            self.running.send_signal(signal.SIGTERM)
        return self.running.wait(limit_s)

    async def exit_code(self, limit_s: float = 30.0) -> int:
        """Wait for its end and return its exit code."""
        return await asyncio.wait_for(asyncio.to_thread(self.running.wait), limit_s)

    @property
    def folder(self) -> Path:
        """The worker's own folder."""
        return Path(self.environment["IEXEC_WORKER_BASE_DIR"]) / self.environment["IEXEC_WORKER_NAME"]

    @property
    def log(self) -> str:
        """The log of all starts."""
        return self.log_path.read_text()
