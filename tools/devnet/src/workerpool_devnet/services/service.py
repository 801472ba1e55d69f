"""One service of the pool: its process and its addresses."""

from __future__ import annotations

import asyncio
import time

from workerpool_devnet.processes.process import ManagedProcess
from workerpool_devnet.services.plan import ServiceSpec
from workerpool_devnet.services.readiness import wait_healthy


class Service:
    """A service process and the addresses it listens on."""

    def __init__(self, spec: ServiceSpec, process: ManagedProcess) -> None:
        self.spec = spec
        self.process = process
        self.name = spec.name
        self.http = spec.http
        self.grpc = spec.grpc
        self.wanted = False
        """Whether the service is supposed to run; a devnet with `restart` starts it again when it ends."""

    @property
    def pid(self) -> int:
        """Id of the current process."""
        return self.process.pid

    @property
    def is_worker(self) -> bool:
        """Whether this is one of the workers."""
        return self.name.startswith("worker-")

    def start(self) -> None:
        """Start the process; does not wait for it."""
        self.wanted = True
        self.process.start()

    def kill(self) -> None:
        """Kill the process (SIGKILL), as a crash would; a devnet with `restart` starts it again."""
        self.process.kill()

    def stop_for_good(self) -> None:
        """Kill the process; only `restart` starts it again, whatever the options of the devnet say."""
        self.wanted = False
        self.process.kill()

    async def restart(self, *, timeout: float = 120.0) -> None:
        """Start the process unless it runs, and wait until it is healthy."""
        if not self.process.running:
            self.start()
        await self.wait_healthy(timeout=timeout)

    async def wait_restarted(self, pid: int, *, timeout: float) -> None:
        """Wait until a devnet with `restart` has started the killed process `pid` again. Raises TimeoutError."""
        end = time.monotonic() + timeout
        while self.pid == pid or not self.process.running:
            if time.monotonic() > end:
                raise TimeoutError(f"{self.name} was not started again within {timeout:g} s")
            await asyncio.sleep(0.05)

    async def wait_healthy(self, *, timeout: float) -> None:
        """Wait until `/actuator/health` reports UP.

        Raises `ProcessError` with the end of the log when the process ends or after `timeout` seconds.
        """
        await wait_healthy({self.http: self.process}, timeout=timeout)
