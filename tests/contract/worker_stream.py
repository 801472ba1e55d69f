"""A client of the worker stream that a test drives message by message."""

import asyncio
from collections.abc import Callable
from typing import Any

import grpc
from patience import PATIENCE_S
from workerpool_kit.grpc.client import error_reason
from workerpool_protocol.core.v1 import worker_service_pb2 as pb

"""Seconds that a test waits for an expected message."""
Answer = tuple[grpc.StatusCode, str | None]
"""Status code of a finished call, and the reason of its ErrorInfo (None without one)."""


class WorkerStream:
    """The worker's end of a stream: keeps every received message, sends only what the test asks for."""

    def __init__(self, call: Any) -> None:
        self.call = call
        self.received: list[pb.ConnectResponse] = []
        self._news = asyncio.Event()
        self._sequence = 0
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> Answer:
        try:
            while (message := await self.call.read()) is not grpc.aio.EOF:  # type: ignore[attr-defined]
                self.received.append(message)
                self._news.set()
        except grpc.aio.AioRpcError as error:
            return error.code(), error_reason(error)
        finally:
            self._news.set()
        return await self.call.code(), None

    async def send(self, **message: Any) -> None:
        """Send one message."""
        await self.call.write(pb.ConnectRequest(**message))

    async def until(self, found: Callable[[], Any]) -> Any:
        """Wait until `found` returns something true, and return it; fail when the stream ends first."""
        async with asyncio.timeout(PATIENCE_S):
            while not (what := found()):
                assert not self._reading.done(), f"the stream ended: {self._reading.result()}"
                self._news.clear()
                await self._news.wait()
        return what

    async def first(self, kind: str) -> Any:
        """Wait for the first message of a kind, such as "welcome"."""
        return await self.until(lambda: next(iter(self.all(kind)), None))

    def all(self, kind: str) -> list[Any]:
        """Return every message of a kind received so far."""
        return [getattr(m, kind) for m in self.received if m.WhichOneof("message") == kind]

    def assignments(self) -> list[pb.Assignment]:
        """Return every assignment received so far."""
        return [one for message in self.all("decisions") for one in message.assignments]

    def result(self, sequence: int) -> pb.UpdateResult | None:
        """Return the newest answer to a sequence number, or None."""
        answers = [r for results in self.all("decisions") for r in results.results]
        return next((r for r in reversed(answers) if r.sequence == sequence), None)

    async def report(self, task: str, status: int, *, sequence: int = 0, **details: Any) -> int:
        """Report a status and return its sequence number."""
        self._sequence = sequence or self._sequence + 1
        update = {"sequence": self._sequence, "task_id": task, "status": status}
        await self.send(status_report={"updates": [update | ({"details": details} if details else {})]})
        return self._sequence

    async def answer(self, task: str, status: int, *, sequence: int = 0, **details: Any) -> pb.UpdateResult:
        """Report a status and return its answer."""
        looked_at = len(self.received)
        number = await self.report(task, status, sequence=sequence, **details)

        def answered() -> pb.UpdateResult | None:
            # Only new messages: a stream of thousands of answers is not scanned again for each of them.
            nonlocal looked_at
            new, looked_at = self.received[looked_at:], len(self.received)
            answers = [r for message in new for r in message.decisions.results]
            return next((r for r in answers if r.sequence == number), None)

        found: pb.UpdateResult = await self.until(answered)
        return found

    async def ended(self) -> Answer:
        """Wait for the end of the stream and return its status."""
        async with asyncio.timeout(PATIENCE_S):
            return await asyncio.shield(self._reading)

    async def close(self) -> None:
        """Cancel the stream."""
        self.call.cancel()
        self._reading.cancel()
        await asyncio.wait({self._reading})


def hello(**changes: Any) -> dict[str, Any]:
    """Return the Hello of a valid worker, with changes."""
    model = {"name": "by hand", "version": "contract-1", "slots": 64, "memory_bytes": 2**34}
    return {"protocol_version": 1, "model": model} | changes
