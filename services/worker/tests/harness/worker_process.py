"""The worker as a process of its own."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path


class WorkerProcess:
    """The worker as a process of its own."""

    def __init__(self, environment, log):
        self.environment = environment
        self.log_path = log
        self.process = None

    def start(self, **changes):
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "workerpool_worker"],
                env=self.environment | changes,
                stderr=log,
                stdout=log,
            )

    def kill(self):
        """Kill it as a power cut would."""
        self.process.kill()
        self.process.wait()

    def stop(self, limit_s=15):
        """Stop it as an operator would and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(limit_s)

    async def exit_code(self, limit_s=30.0):
        return await asyncio.wait_for(asyncio.to_thread(self.process.wait), limit_s)

    @property
    def folder(self):
        return Path(self.environment["IEXEC_WORKER_BASE_DIR"]) / self.environment["IEXEC_WORKER_NAME"]

    @property
    def log(self):
        return self.log_path.read_text()
