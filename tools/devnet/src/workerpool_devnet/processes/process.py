"""One operating-system process of the devnet: start, log, watch, stop."""

from __future__ import annotations

import os
import signal as signals
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from workerpool_devnet.errors import ProcessError
from workerpool_devnet.processes import parent_death

_TAIL_LINES = 15


class ManagedProcess:
    """A command with its own process group and log file that ends with this process.

    `env` replaces the whole environment when given, `folder` is the working directory. A restart appends to the log.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        self.name = name
        self.command = list(command)
        self.log = log
        self.env = None if env is None else dict(env)
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Id of the current or last process; raises `ProcessError` before the first start."""
        if self._process is None:
            raise ProcessError(f"{self.name} was not started")
        return self._process.pid

    @property
    def started(self) -> bool:
        """Whether the process was ever started."""
        return self._process is not None

    @property
    def exit_code(self) -> int | None:
        """Exit code of the last process (negative: the signal that ended it); None while it runs."""
        return None if self._process is None else self._process.poll()

    @property
    def running(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the process. Call it from a thread that lives as long as the devnet."""
        if self.running:
            raise ProcessError(f"{self.name} is running already")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", parent_death.__file__, str(os.getpid()), *self.command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self.env,
                cwd=self.folder,
                start_new_session=True,
            )

    def wait_until(self, ready: Callable[[], bool], *, timeout: float, what: str = "ready") -> None:
        """Block until `ready()` is true.

        Raises `ProcessError` with the end of the log when the process ends or after `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise ProcessError(f"{self.name} was not {what} within {timeout:g} s.{self.log_end()}")
            time.sleep(0.02)

    def check(self) -> None:
        """Raise `ProcessError` with the end of the log when the process has ended."""
        if not self.running:
            raise ProcessError(f"{self.name} ended with exit code {self.exit_code}.{self.log_end()}")

    def kill(self) -> None:
        """Kill the whole process group (SIGKILL) and reap it."""
        if self._process is None:
            return
        self._signal(signals.SIGKILL)
        self._process.wait()

    def terminate(self) -> None:
        """Send SIGTERM and return at once."""
        if self.running:
            self.signal(signals.SIGTERM)

    def signal(self, number: signals.Signals) -> None:
        """Send a signal to the process, but not to its children."""
        if self._process is not None:
            self._process.send_signal(number)

    def wait(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds for the end; return whether the process ended."""
        if self._process is None:
            return True
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self, timeout: float = 10.0) -> None:
        """Stop with SIGTERM; after `timeout` seconds kill the process and its children."""
        self.terminate()
        self.finish(timeout)

    def finish(self, timeout: float) -> None:
        """Wait for a process after `terminate`; kill it and its children after `timeout` seconds."""
        self.wait(timeout)
        self.kill()

    def _signal(self, number: signals.Signals) -> None:
        assert self._process is not None
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return

    def log_end(self) -> str:
        """Return the last lines of the log, to append to an error message."""
        try:
            lines = self.log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
        except OSError:
            lines = []
        return "\n  " + "\n  ".join([f"end of {self.log}:", *(lines or ["(empty)"])])
