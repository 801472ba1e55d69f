"""The worker's one stream to the scheduler: kept open, and resumed without loss when it is cut."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import grpc
import structlog
from workerpool_kit.health import Health
from workerpool_kit.heartbeats import heartbeat_phase, until_heartbeat
from workerpool_poco.protocol.ids import TaskId
from workerpool_protocol.core.v1 import worker_service_pb2 as pb

from workerpool_worker.adapters.core.client import (
    CoreClient,
    PoolConfiguration,
    describe,
    refused_for_good,
)
from workerpool_worker.adapters.core.messages import (
    assignment_of,
    command_of,
    is_task_id,
    log_chunk_message,
    status_number,
    update_message,
)
from workerpool_worker.app.replicate_context import Office
from workerpool_worker.app.supervisor import Answer, Supervisor
from workerpool_worker.errors import CoreRefused

log = structlog.get_logger()

PROTOCOL_VERSION = 1
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 2.0
_WELCOME_LIMIT_S = 15.0
_DEFAULT_BEAT_S = 10.0
_REPORT_UPDATES = 256
_REPORT_BYTES = 1 << 20
_UNKNOWN_REPLICATE = "UNKNOWN_REPLICATE"
"""The scheduler's word for a refusal since it has no such replicate."""


@dataclass(frozen=True, slots=True)
class HostModel:
    """What the host offers, for the Hello."""

    name: str
    version: str
    os: str
    cpu: str
    slots: int
    memory_bytes: int
    gpus: int


class _Ended(Exception):
    """The scheduler ended the stream and says when to come back."""

    def __init__(self, reason: str, retry_after_s: float) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class CoreSession:
    """Connects, says Hello, and carries messages both ways until the process ends or the scheduler says never again."""

    def __init__(
        self,
        client: CoreClient,
        login: Callable[[], Awaitable[str]],
        supervisor: Supervisor,
        office: Office,
        model: HostModel,
        health: Health,
    ) -> None:
        self._client = client
        self._login = login
        self._supervisor = supervisor
        self._office = office
        self._model = model
        self._health = health
        self._token = ""
        self._welcome_came = False
        self._background: set[asyncio.Task[None]] = set()

    async def run(self, token: str) -> None:
        """Keep the stream open for ever. Raises CoreRefused when the scheduler does not want this worker any more."""
        self._token = token
        pause = _FIRST_PAUSE_S
        while True:
            wait: float | None = None
            self._welcome_came = False
            try:
                if not self._token:
                    self._token = await self._login()
                await self._stream()
                reason = "the scheduler closed the stream"
            except _Ended as ended:
                reason, wait = str(ended), ended.retry_after_s
            except TimeoutError:
                reason = "the scheduler did not say Welcome in time"
            except grpc.aio.AioRpcError as error:
                reason = describe(error)
                if error.code() is grpc.StatusCode.UNAUTHENTICATED:
                    self._token = ""
                elif refused_for_good(error):
                    raise CoreRefused(f"the scheduler refuses this worker: {reason}") from error
            if self._welcome_came:
                pause = _FIRST_PAUSE_S
            # Jitter, because all workers of a pool lose their streams at the same moment.
            wait = (pause if wait is None else wait) * random.uniform(0.75, 1.25)
            self._health.set("core", False, url=self._client.url, error=reason)
            log.warning("core.stream_lost", error=reason, retry_in_s=round(wait, 2))
            await asyncio.sleep(wait)
            pause = min(pause * 2, _LONGEST_PAUSE_S)

    async def _stream(self) -> None:
        call: Any = self._client.stream(self._token)
        try:
            async with asyncio.timeout(_WELCOME_LIMIT_S):
                await call.write(pb.ConnectRequest(hello=self._hello()))
                first = await call.read()
            if not isinstance(first, pb.ConnectResponse):
                return await _raise_status(call)
            beat_s = self._welcomed(first)
            writer = asyncio.create_task(self._write(call, beat_s), name="core-writer")
            reader = asyncio.create_task(self._read(call), name="core-reader")
            try:
                done, _ = await asyncio.wait({writer, reader}, return_when=asyncio.FIRST_COMPLETED)
                # What the scheduler said is the better reason than a write that failed because it said it.
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
            # A write to a stream that has ended in the meantime: its status says why.
            await _raise_status(call)
        finally:
            call.cancel()

    # --- down ----------------------------------------------------------------

    def _welcomed(self, message: pb.ConnectResponse) -> float:
        if message.WhichOneof("message") == "shutdown":
            _shut_down(message.shutdown)
        if message.WhichOneof("message") != "welcome":
            raise CoreRefused("the scheduler does not speak this worker's protocol: no Welcome came first")
        welcome = message.welcome
        self._welcome_came = True
        self._supervisor.draining = False
        configuration = PoolConfiguration.of(welcome.configuration)
        self._office.result_proxy_url = configuration.result_proxy_url or self._office.result_proxy_url
        self._supervisor.drop([TaskId(each.lower()) for each in welcome.dropped_task_ids])
        self._health.set("core", True, url=self._client.url, session=welcome.session_id)
        log.info("core.connected", session=welcome.session_id, dropped=len(welcome.dropped_task_ids))
        return welcome.heartbeat_period.ToNanoseconds() / 1e9 or _DEFAULT_BEAT_S

    async def _read(self, call: Any) -> None:
        while True:
            message = await call.read()
            if not isinstance(message, pb.ConnectResponse):  # the end of the stream
                return await _raise_status(call)
            match message.WhichOneof("message"):
                case "decisions":
                    self._supervisor.answers([_answer(result) for result in message.decisions.results])
                    for assignment in message.decisions.assignments:
                        self._assign(assignment)
                case "command":
                    self._in_background(self._supervisor.command(command_of(message.command)))
                case "drain":
                    self._supervisor.draining = True
                    log.info("core.draining")
                case "shutdown":
                    _shut_down(message.shutdown)
                case other:
                    log.warning("core.message_ignored", kind=other)

    def _assign(self, message: pb.Assignment) -> None:
        try:
            assignment = assignment_of(message)
        except ValueError as problem:
            log.error("assignment.unreadable", task=message.task.task_id, error=str(problem))
            if is_task_id(message.task.task_id):
                self._supervisor.refuse(TaskId(message.task.task_id.lower()), str(problem))
            return
        self._supervisor.assign(assignment)

    def _in_background(self, work: Any) -> None:
        """Do something that the end of the stream must not interrupt."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    # --- up ------------------------------------------------------------------

    async def _write(self, call: Any, beat_s: float) -> None:
        """Send heartbeats, acknowledgements, every update that has no answer yet, oldest first, and what apps print."""
        loop = asyncio.get_running_loop()
        live_output = self._office.live_output
        phase_s = heartbeat_phase(beat_s)
        next_beat = loop.time() + until_heartbeat(time.time(), beat_s, phase_s)
        sent = 0
        while True:
            if loop.time() >= next_beat:
                await call.write(pb.ConnectRequest(heartbeat=self._heartbeat()))
                next_beat = loop.time() + until_heartbeat(time.time(), beat_s, phase_s)
            for sequence in self._office.outbox.take_acks():
                await call.write(pb.ConnectRequest(command_ack=pb.CommandAck(sequence=sequence)))
            while report := self._report(sent):
                await call.write(pb.ConnectRequest(status_report=report))
                sent = report.updates[-1].sequence
            if printed := live_output.next(loop.time()):
                await call.write(pb.ConnectRequest(log_chunk=log_chunk_message(printed)))
                continue  # one at a time: output is all that can wait
            try:
                async with asyncio.timeout_at(min(next_beat, live_output.next_round_at())):
                    await self._office.outbox.changed()
            except TimeoutError:
                continue

    def _report(self, sent: int) -> pb.StatusReport | None:
        """Return the next updates after a sequence, as many as fit well into one message; None when there are none."""
        report = pb.StatusReport()
        size = 0
        for update in self._office.outbox.after(sent, _REPORT_UPDATES):
            message = update_message(update)
            size += message.ByteSize()
            if report.updates and size > _REPORT_BYTES:
                break
            report.updates.append(message)
        return report if report.updates else None

    def _heartbeat(self) -> pb.Heartbeat:
        free = 0 if self._supervisor.draining else self._supervisor.free_slots
        return pb.Heartbeat(free_slots=free, head_block=self._office.chain.head)

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


def _answer(result: pb.UpdateResult) -> Answer:
    refused = result.outcome == pb.UPDATE_OUTCOME_REFUSED
    return Answer(
        sequence=result.sequence,
        refused=refused,
        # A refusal that names nothing to do means that the replicate is not wanted.
        abort=result.next_action == pb.ACTION_ABORT
        or (refused and result.next_action == pb.ACTION_UNSPECIFIED),
        unknown=refused and result.reason == _UNKNOWN_REPLICATE,
        reason=result.reason,
        message=result.message,
    )


def _shut_down(message: pb.Shutdown) -> None:
    log.warning("core.shutdown", reason=message.reason, message=message.message)
    if not message.HasField("retry_after"):
        raise CoreRefused(f"the scheduler ended the session for good: {message.reason}: {message.message}")
    raise _Ended(f"{message.reason}: {message.message}", message.retry_after.ToNanoseconds() / 1e9)


async def _raise_status(call: Any) -> None:
    """Turn the end of a stream into its error, if it ended with one."""
    code = await call.code()
    if code is not grpc.StatusCode.OK:
        raise grpc.aio.AioRpcError(
            code, await call.initial_metadata(), await call.trailing_metadata(), await call.details(), None
        )
