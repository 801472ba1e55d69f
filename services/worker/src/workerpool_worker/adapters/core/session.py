"""The worker's stream to the scheduler: kept open, and resumed without loss after an interruption."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import grpc
from workerpool_kit.health import Health
from workerpool_kit.heartbeats import heartbeat_phase, until_heartbeat
from workerpool_kit.logs import get_logger
from workerpool_kit.protocol_version import PROTOCOL_VERSION
from workerpool_kit.retry import Backoff
from workerpool_poco.protocol.ids import TaskId
from workerpool_protocol.core.v1 import worker_service_pb2 as pb

from workerpool_worker.adapters.core.client import (
    CoreClient,
    PoolConfiguration,
    describe,
    is_permanent,
)
from workerpool_worker.adapters.core.messages import (
    assignment_of,
    command_of,
    is_task_id,
    log_chunk_message,
    status_number,
    update_message,
    update_result_of,
)
from workerpool_worker.app.replicate_context import ReplicateContext
from workerpool_worker.app.supervisor import Supervisor
from workerpool_worker.errors import CoreRefused

log = get_logger()

_BACKOFF = Backoff(first_s=0.1, longest_s=2.0, jitter=0.5)
_WELCOME_LIMIT_S = 15.0
_DEFAULT_HEARTBEAT_S = 10.0
_REPORT_UPDATES = 256
_REPORT_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class HostModel:
    """Description of the host for the Hello message."""

    name: str
    version: str
    os: str
    cpu: str
    slots: int
    memory_bytes: int
    gpus: int


class _StreamEnded(Exception):
    """The scheduler ended the stream and asked the worker to reconnect later."""

    def __init__(self, reason: str, retry_after_s: float) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class CoreSession:
    """Connects, sends Hello, and carries messages in both directions until the scheduler refuses the worker."""

    def __init__(
        self,
        client: CoreClient,
        login: Callable[[], Awaitable[str]],
        supervisor: Supervisor,
        context: ReplicateContext,
        model: HostModel,
        health: Health,
    ) -> None:
        self._client = client
        self._login = login
        self._supervisor = supervisor
        self._context = context
        self._model = model
        self._health = health
        self._token = ""
        self._welcomed = False
        self._background: set[asyncio.Task[None]] = set()

    async def run(self, token: str) -> None:
        """Keep the stream open until cancelled. Raises `CoreRefused` if the scheduler refuses this worker."""
        self._token = token
        backoff = _BACKOFF.steps()
        while True:
            wait: float | None = None
            self._welcomed = False
            try:
                if not self._token:
                    self._token = await self._login()
                await self._stream()
                reason = "the scheduler closed the stream"
            except _StreamEnded as ended:
                reason, wait = str(ended), ended.retry_after_s
            except TimeoutError:
                reason = f"the scheduler sent no Welcome within {_WELCOME_LIMIT_S:.0f} s"
            except grpc.aio.AioRpcError as error:
                reason = describe(error)
                if error.code() is grpc.StatusCode.UNAUTHENTICATED:
                    self._token = ""
                elif is_permanent(error):
                    raise CoreRefused(f"the scheduler refuses this worker: {reason}") from error
            if self._welcomed:
                backoff.reset()
            # All workers of a pool lose their streams at the same moment, so both waits have jitter.
            wait = backoff.next_s() if wait is None else wait * random.uniform(0.75, 1.25)
            self._health.set("core", False, url=self._client.url, error=reason)
            log.warning("core.stream_lost", error=reason, retry_in_s=round(wait, 2))
            await asyncio.sleep(wait)

    async def _stream(self) -> None:
        call: Any = self._client.stream(self._token)
        try:
            async with asyncio.timeout(_WELCOME_LIMIT_S):
                await call.write(pb.ConnectRequest(hello=self._hello()))
                first = await call.read()
            if not isinstance(first, pb.ConnectResponse):
                return await _raise_status(call)
            heartbeat_s = self._apply_welcome(first)
            writer = asyncio.create_task(self._write(call, heartbeat_s), name="core-writer")
            reader = asyncio.create_task(self._read(call), name="core-reader")
            try:
                done, _ = await asyncio.wait({writer, reader}, return_when=asyncio.FIRST_COMPLETED)
                # The status that the reader receives explains a failed write, so wait for it briefly.
                if reader not in done:
                    await asyncio.wait({reader}, timeout=1.0)
            finally:
                for task in (writer, reader):
                    task.cancel()
                results = await asyncio.gather(reader, writer, return_exceptions=True)
            for result in results:
                if isinstance(result, Exception):
                    raise result
        except asyncio.InvalidStateError:
            # gRPC raises this for a write to a stream that has ended; the status names the reason.
            await _raise_status(call)
        finally:
            call.cancel()

    # --- from the scheduler --------------------------------------------------

    def _apply_welcome(self, message: pb.ConnectResponse) -> float:
        """Apply the first message and return the heartbeat period in seconds."""
        if message.WhichOneof("message") == "shutdown":
            _raise_shutdown(message.shutdown)
        if message.WhichOneof("message") != "welcome":
            raise CoreRefused(
                "the scheduler's first message was no Welcome: it speaks another protocol version; "
                "install the worker version of the scheduler"
            )
        welcome = message.welcome
        self._welcomed = True
        self._supervisor.draining = False
        configuration = PoolConfiguration.of(welcome.configuration)
        self._context.result_proxy_url = configuration.result_proxy_url or self._context.result_proxy_url
        self._supervisor.drop([TaskId(each.lower()) for each in welcome.dropped_task_ids])
        self._health.set("core", True, url=self._client.url, session=welcome.session_id)
        log.info("core.connected", session=welcome.session_id, dropped=len(welcome.dropped_task_ids))
        return welcome.heartbeat_period.ToNanoseconds() / 1e9 or _DEFAULT_HEARTBEAT_S

    async def _read(self, call: Any) -> None:
        while True:
            message = await call.read()
            if not isinstance(message, pb.ConnectResponse):  # end of the stream
                return await _raise_status(call)
            match message.WhichOneof("message"):
                case "decisions":
                    results = [update_result_of(result) for result in message.decisions.results]
                    self._supervisor.apply_results(results)
                    for assignment in message.decisions.assignments:
                        self._assign(assignment)
                case "command":
                    self._in_background(self._supervisor.accept_command(command_of(message.command)))
                case "drain":
                    self._supervisor.draining = True
                    log.info("core.drain_requested")
                case "shutdown":
                    _raise_shutdown(message.shutdown)
                case other:
                    log.warning("core.message_ignored", kind=other)

    def _assign(self, message: pb.Assignment) -> None:
        try:
            assignment = assignment_of(message)
        except ValueError as problem:
            log.error("assignment.rejected", task=message.task.task_id, error=str(problem))
            if is_task_id(message.task.task_id):
                self._supervisor.refuse(TaskId(message.task.task_id.lower()), str(problem))
            return
        self._supervisor.assign(assignment)

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine that the end of the stream does not cancel."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    # --- to the scheduler ----------------------------------------------------

    async def _write(self, call: Any, heartbeat_s: float) -> None:
        """Send heartbeats, acknowledgements, pending updates (oldest first) and output, in this priority."""
        loop = asyncio.get_running_loop()
        outbox, live_output = self._context.outbox, self._context.live_output
        phase_s = heartbeat_phase(heartbeat_s)
        next_heartbeat = loop.time() + until_heartbeat(time.time(), heartbeat_s, phase_s)
        sent = 0
        while True:
            if loop.time() >= next_heartbeat:
                await call.write(pb.ConnectRequest(heartbeat=self._heartbeat()))
                next_heartbeat = loop.time() + until_heartbeat(time.time(), heartbeat_s, phase_s)
            for sequence in outbox.drain_acks():
                await call.write(pb.ConnectRequest(command_ack=pb.CommandAck(sequence=sequence)))
            while report := self._report(sent):
                await call.write(pb.ConnectRequest(status_report=report))
                sent = report.updates[-1].sequence
            if chunk := live_output.next_chunk(loop.time()):
                await call.write(pb.ConnectRequest(log_chunk=log_chunk_message(chunk)))
                continue  # Everything else precedes the next chunk.
            try:
                async with asyncio.timeout_at(min(next_heartbeat, live_output.next_flush_at())):
                    await outbox.wait_changed()
            except TimeoutError:
                continue

    def _report(self, sent: int) -> pb.StatusReport | None:
        """Return the pending updates after a sequence that fit into one message; None if there are none."""
        report = pb.StatusReport()
        size = 0
        for update in self._context.outbox.after(sent, _REPORT_UPDATES):
            message = update_message(update)
            size += message.ByteSize()
            if report.updates and size > _REPORT_BYTES:
                break
            report.updates.append(message)
        return report if report.updates else None

    def _heartbeat(self) -> pb.Heartbeat:
        free = 0 if self._supervisor.draining else self._supervisor.free_slots
        return pb.Heartbeat(free_slots=free, head_block=self._context.chain.head)

    def _hello(self) -> pb.Hello:
        model = self._model
        return pb.Hello(
            protocol_version=PROTOCOL_VERSION,
            model=pb.WorkerModel(
                name=model.name,
                version=model.version,
                os=model.os,
                cpu=model.cpu,
                slots=model.slots,
                memory_bytes=model.memory_bytes,
                gpus=model.gpus,
            ),
            held=[
                pb.HeldReplicate(
                    task_id=record.task_id,
                    status=status_number(record.status),
                    result_available=record.result_available,
                    last_command_sequence=record.last_command,
                )
                for record in self._supervisor.held()
            ],
        )


def _raise_shutdown(message: pb.Shutdown) -> None:
    log.warning("core.shutdown_requested", reason=message.reason, message=message.message)
    if not message.HasField("retry_after"):
        raise CoreRefused(f"the scheduler ended the session permanently: {message.reason}: {message.message}")
    raise _StreamEnded(f"{message.reason}: {message.message}", message.retry_after.ToNanoseconds() / 1e9)


async def _raise_status(call: Any) -> None:
    """Raise the error with which a stream ended; return if it ended with OK."""
    code = await call.code()
    if code is not grpc.StatusCode.OK:
        raise grpc.aio.AioRpcError(
            code, await call.initial_metadata(), await call.trailing_metadata(), await call.details(), None
        )
