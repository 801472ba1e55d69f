"""The worker's stream to the scheduler: kept open, and resumed without loss after an interruption."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

import grpc
from workerpool_kit.grpc.call_status import ServerStatus
from workerpool_kit.grpc.times import InvalidTime, seconds_of
from workerpool_kit.health import Health
from workerpool_kit.heartbeats import heartbeat_phase, until_heartbeat
from workerpool_kit.logs import get_logger, without_credentials
from workerpool_kit.protocol_version import PROTOCOL_VERSION
from workerpool_kit.retry import Backoff
from workerpool_kit.runtime.tasks import start_task
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.model import Block
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
    head_of,
    heartbeat_period_of,
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
_REPORT_UPDATES = 256
_REPORT_BYTES = 1 << 20
_REFUSAL_CHARACTERS = 1_000
_LEFT = "LEFT"
"""Reason of the scheduler's answer to a farewell."""


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


class HeadSink(Protocol):
    """Receives the chain's heads from the stream."""

    def take(self, head: Block) -> None:
        """Take a head of the scheduler."""

    def stream_lost(self) -> None:
        """Record that the stream sends no heads any more."""


class _StreamEnded(Exception):
    """The scheduler ended the stream and requested that the worker reconnect later."""

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
        *,
        heads: HeadSink,
        refusal: Callable[[], str],
    ) -> None:
        """Create it without connecting.

        Args:
            client: the client of the scheduler.
            login: returns a new bearer token.
            supervisor: the worker's replicates.
            context: what the replicates share.
            model: the host.
            health: receives the state of the stream.
            heads: receives the heads of the chain that the scheduler sends.
            refusal: returns why the worker takes no new work, such as an empty wallet; empty while it takes work.
        """
        self._heads = heads
        self._refusal = refusal
        self._leave: pb.Leave | None = None
        self._left = asyncio.Event()
        self._client = client
        self._login = login
        self._supervisor = supervisor
        self._context = context
        self._model = model
        self._health = health
        self._token = ""
        self._welcomed = False

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
            except InvalidTime as invalid:
                reason = f"the scheduler sent an invalid message: {invalid}"
            except TimeoutError:
                reason = f"the scheduler sent no Welcome within {_WELCOME_LIMIT_S:.0f} s"
            except grpc.aio.AioRpcError as error:
                reason = describe(error)
                if error.code() is grpc.StatusCode.UNAUTHENTICATED:
                    self._token = ""
                elif is_permanent(error):
                    if self._leave is not None:
                        return  # An older scheduler does not know the message.
                    raise CoreRefused(f"the scheduler refuses this worker: {reason}") from error
            if self._left.is_set():
                return
            self._heads.stream_lost()
            if self._welcomed:
                backoff.reset()
            # All workers of a pool lose their streams at the same moment, so both waits have jitter.
            wait = backoff.next_s() if wait is None else wait * random.uniform(0.75, 1.25)
            self._health.set(
                "core",
                False,
                variable="IEXEC_CORE_URL",
                address=without_credentials(self._client.url),
                problem=reason,
                next_step="start the scheduler or correct the variable; the worker reconnects by itself",
            )
            log.warning("core.stream_lost", error=reason, retry_in_s=round(wait, 2))
            await asyncio.sleep(wait)

    def availability_changed(self) -> None:
        """Report soon to the scheduler whether the worker accepts work."""
        self._context.outbox.wake()

    async def leave(self, return_within_s: float, limit_s: float) -> bool:
        """Announce to the scheduler that the process ends and when it will be back; 0 if it will not.

        Return whether the scheduler knows, after `limit_s` seconds at most. The session ends then.
        """
        self._leave = pb.Leave()
        self._leave.return_within.FromNanoseconds(int(return_within_s * 1e9))
        self._context.outbox.wake()
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await self._left.wait()
        return self._left.is_set()

    async def _stream(self) -> None:
        call: Any = self._client.stream(self._token)
        status = ServerStatus(call)
        try:
            async with asyncio.timeout(_WELCOME_LIMIT_S):
                hello = self._hello()
                await call.write(pb.ConnectRequest(hello=hello))
                first = await call.read()
            if not isinstance(first, pb.ConnectResponse):
                return await status.raise_error()
            heartbeat_s = self._apply_welcome(first)
            writer = asyncio.create_task(
                self._write(call, heartbeat_s, hello.availability.refusal), name="core-writer"
            )
            reader = asyncio.create_task(self._read(call), name="core-reader")
            try:
                done, _ = await asyncio.wait({writer, reader}, return_when=asyncio.FIRST_COMPLETED)
                # Handle a message before the end of the stream, such as a Shutdown.
                if reader not in done:
                    await asyncio.wait({reader}, timeout=1.0)
            finally:
                for task in (writer, reader):
                    task.cancel()
                results = await asyncio.gather(reader, writer, return_exceptions=True)
            for result in results:
                if isinstance(result, Exception):
                    raise result
            await status.raise_error()
        except (asyncio.InvalidStateError, grpc.aio.AioRpcError):
            # grpc.aio raises its own error for a write that meets the end of the stream.
            await status.raise_error()
        finally:
            call.cancel()

    # --- from the scheduler --------------------------------------------------

    def _apply_welcome(self, message: pb.ConnectResponse) -> float:
        """Apply the first message and return the heartbeat period in seconds. Raises InvalidTime."""
        if message.WhichOneof("message") == "shutdown":
            _raise_shutdown(message.shutdown)
        if message.WhichOneof("message") != "welcome":
            raise CoreRefused(
                "the scheduler's first message was no Welcome: it speaks another protocol version; "
                "install the worker version of the scheduler"
            )
        welcome = message.welcome
        heartbeat_s = heartbeat_period_of(welcome)
        self._welcomed = True
        self._supervisor.draining = False
        self._apply_configuration(welcome.configuration)
        self._supervisor.drop([TaskId(each.lower()) for each in welcome.dropped_task_ids])
        self._health.set(
            "core", True, address=without_credentials(self._client.url), session=welcome.session_id
        )
        log.info("core.connected", session=welcome.session_id, dropped=len(welcome.dropped_task_ids))
        return heartbeat_s

    def _apply_configuration(self, message: pb.PublicConfiguration) -> None:
        """Use the pool's configuration in the later steps of every replicate."""
        url = PoolConfiguration.of(message).result_proxy_url or self._context.result_proxy_url
        if url != self._context.result_proxy_url:
            log.info("configuration.changed", result_proxy=url)
            self._context.result_proxy_url = url

    async def _read(self, call: Any) -> None:
        while True:
            message = await call.read()
            if not isinstance(message, pb.ConnectResponse):
                return  # The scheduler ended the stream.
            match message.WhichOneof("message"):
                case "decisions":
                    results = [update_result_of(result) for result in message.decisions.results]
                    self._supervisor.apply_results(results)
                    for assignment in message.decisions.assignments:
                        self._assign(assignment)
                case "command":
                    self._in_background(self._supervisor.accept_command(command_of(message.command)))
                case "configuration_change":
                    self._apply_configuration(message.configuration_change.configuration)
                case "head":
                    self._take_head(message.head)
                case "drain":
                    self._supervisor.draining = True
                    log.info("core.drain_requested")
                case "shutdown":
                    if message.shutdown.reason == _LEFT:
                        self._left.set()
                        return
                    _raise_shutdown(message.shutdown)
                case other:
                    log.warning("core.message_ignored", kind=other)

    def _take_head(self, message: pb.Head) -> None:
        try:
            head = head_of(message)
        except ValueError as problem:
            log.error("head.rejected", number=message.number, error=str(problem))
            return
        self._heads.take(head)

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
        """Run a coroutine that the end of the stream does not cancel. Its failure ends the worker."""
        start_task(work, name="core-command")

    # --- to the scheduler ----------------------------------------------------

    async def _write(self, call: Any, heartbeat_s: float, refusal: str) -> None:
        """Send availability, heartbeats, acknowledgements, updates (oldest first) and output, in this priority.

        `refusal` is the availability last reported to the scheduler. A farewell follows the updates and is the last
        message.
        """
        loop = asyncio.get_running_loop()
        outbox, live_output = self._context.outbox, self._context.live_output
        phase_s = heartbeat_phase(heartbeat_s)
        next_heartbeat = loop.time() + until_heartbeat(time.time(), heartbeat_s, phase_s)
        sent = 0
        while True:
            if (now_refused := self._refused()) != refusal:
                refusal = now_refused
                await call.write(pb.ConnectRequest(availability=pb.Availability(refusal=refusal)))
            if loop.time() >= next_heartbeat:
                await call.write(pb.ConnectRequest(heartbeat=self._heartbeat()))
                next_heartbeat = loop.time() + until_heartbeat(time.time(), heartbeat_s, phase_s)
            for sequence in outbox.drain_acks():
                await call.write(pb.ConnectRequest(command_ack=pb.CommandAck(sequence=sequence)))
            while report := self._report(sent):
                await call.write(pb.ConnectRequest(status_report=report))
                sent = report.updates[-1].sequence
            if self._leave is not None:
                await call.write(pb.ConnectRequest(leave=self._leave))
                await self._left.wait()
                return
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
        takes_work = not self._supervisor.draining and not self._refusal()
        free = self._supervisor.free_slots if takes_work else 0
        return pb.Heartbeat(free_slots=free, head_block=self._context.chain.head)

    def _refused(self) -> str:
        return self._refusal()[:_REFUSAL_CHARACTERS]

    def _hello(self) -> pb.Hello:
        model, refusal = self._model, self._refused()
        return pb.Hello(
            availability=pb.Availability(refusal=refusal) if refusal else None,
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
    raise _StreamEnded(f"{message.reason}: {message.message}", seconds_of("retry_after", message.retry_after))
