"""The client of a simulator process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from bench.proc import be_modest
from bench.worker import PoolAddress

_LONGEST_LINE = 64 << 20


class SimulatorHandle:
    """Sends orders to a simulator process; several orders may be in flight."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._number = 0
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._listening = asyncio.create_task(self._listen())

    @property
    def pid(self) -> int:
        """Process id of the simulator."""
        return self._process.pid

    async def order(self, order: str, *, timeout_s: float, **arguments: Any) -> dict[str, Any]:
        """Send an order (a method of `simulator.Simulator`) and return its answer.

        Raises TimeoutError with the order, or RuntimeError when the process has ended.
        """
        self._number += 1
        answer = self._answers[self._number] = asyncio.get_running_loop().create_future()
        line = json.dumps({"number": self._number, "order": order, "arguments": arguments})
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        try:
            return await asyncio.wait_for(answer, timeout_s)
        except TimeoutError:
            why = await self._why(arguments) if order not in ("problems", "state") else ""
            raise TimeoutError(f"no answer to {order} {arguments} within {timeout_s:g} s; {why}") from None

    async def stop(self) -> None:
        """Stop the process and its streams."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), 10)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        self._listening.cancel()

    async def _why(self, arguments: dict[str, Any]) -> dict[str, Any]:
        problems = await self.order("problems", timeout_s=10)
        if group := arguments.get("group"):
            problems |= await self.order("state", timeout_s=10, group=group)
        return problems

    async def _listen(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            answer = json.loads(line)
            waiting = self._answers.pop(answer.pop("number"))
            if not waiting.done():  # the order has timed out otherwise
                waiting.set_result(answer)
        for waiting in self._answers.values():
            if not waiting.done():
                waiting.set_exception(RuntimeError("the simulator process ended; its error is above"))


@contextlib.asynccontextmanager
async def simulator(pool: PoolAddress, *, yields: bool = False) -> AsyncIterator[SimulatorHandle]:
    """Run a simulator process inside a context; it also ends with this process.

    `yields` gives it the lowest priority, since workers run on other hosts in a real pool.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.simulator",
        pool.target,
        str(pool.chain_id),
        pool.workerpool,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LONGEST_LINE,
        cwd=Path(__file__).resolve().parents[1],
        start_new_session=True,  # only the bench handles Ctrl-C, and stops this process
    )
    if yields:
        be_modest(process.pid)
    handle = SimulatorHandle(process)
    try:
        yield handle
    finally:
        await handle.stop()
