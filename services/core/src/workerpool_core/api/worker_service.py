"""The worker service: configuration, login and the stream of each worker."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from workerpool_kit.access import audit
from workerpool_kit.access.authenticators import ANYONE, current_identity
from workerpool_kit.grpc.streams import SlowReader
from workerpool_kit.grpc.times import seconds_of
from workerpool_kit.logs import get_logger
from workerpool_kit.protocol_version import PROTOCOL_VERSION
from workerpool_poco.protocol.ids import TaskId
from workerpool_protocol.core.v1 import worker_service_pb2 as pb
from workerpool_protocol.core.v1.worker_service_pb2_grpc import WorkerServiceServicer

from workerpool_core.api.times import timestamp
from workerpool_core.api.worker_messages import (
    configuration_message,
    held_of,
    model_of,
    responses,
    update_of,
)
from workerpool_core.app.running import Core, RunningCore
from workerpool_core.app.workers.login import WORKER_ROLE
from workerpool_core.app.workers.messages import Message, ShutDown, Welcomed
from workerpool_core.app.workers.sessions import Session
from workerpool_core.domain.events import (
    CommandAcknowledged,
    StatusReported,
    WorkerConnected,
    WorkerDisconnected,
    WorkerLeft,
    WorkerParked,
)
from workerpool_core.errors import BadProtocolVersion, CoreError, HelloExpected

log = get_logger()

NAME = "workerpool.core.v1.WorkerService"
HELLO_TIMEOUT_S = 10.0
"""Seconds within which a stream must start with Hello; it replaces an older stream of its wallet only then."""
WRITE_TIMEOUT_S = 5.0
"""Seconds within which a worker must read the pending messages that exceed the transport's buffers."""
POLICY = {
    f"/{NAME}/GetConfig": frozenset({ANYONE}),
    f"/{NAME}/CreateChallenge": frozenset({ANYONE}),
    f"/{NAME}/Login": frozenset({ANYONE}),
    f"/{NAME}/Connect": frozenset({WORKER_ROLE}),
}

_BAD_VERSION = "BAD_VERSION"
_TOO_SLOW = "the worker reads its stream too slowly; reconnect and read faster"


class WorkerServicer(WorkerServiceServicer):
    """The service that worker_service.proto documents."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def GetConfig(self, request: pb.GetConfigRequest, context: Any) -> pb.GetConfigResponse:
        """Return the pool's public configuration."""
        core = self._core.running
        return pb.GetConfigResponse(
            configuration=configuration_message(core.configuration), server_time=timestamp(core.clock.now())
        )

    async def CreateChallenge(
        self, request: pb.CreateChallengeRequest, context: Any
    ) -> pb.CreateChallengeResponse:
        """Return the challenge that a wallet signs to log in."""
        core = self._core.running
        with _recording_refusal(core, request.wallet_address, context):
            opened = core.login.challenge(request.wallet_address)
        return pb.CreateChallengeResponse(
            typed_data_json=json.dumps(opened.challenge.to_json()), expires_at=timestamp(opened.expires_at)
        )

    async def Login(self, request: pb.LoginRequest, context: Any) -> pb.LoginResponse:
        """Return a bearer token for a signed challenge."""
        core = self._core.running
        with _recording_refusal(core, request.wallet_address, context):
            token = await core.login.login(request.wallet_address, request.signature)
        audit.logged_in(request.wallet_address, context.peer())
        expires: Timestamp = timestamp(core.clock.now() + core.token_lifetime_s)
        return pb.LoginResponse(token=token, expires_at=expires)

    async def Connect(  # type: ignore[override]  # the stubs expect an iterator; this method writes to the context
        self, request_iterator: AsyncIterator[pb.ConnectRequest], context: Any
    ) -> None:
        """Serve the stream of one worker until either side ends it."""
        core = self._core.running
        wallet = current_identity().subject
        with _recording_refusal(core, wallet, context):
            hello = await _hello(request_iterator)
            core.login.admit(wallet)
        session = core.sessions.open(wallet)
        log.info("worker.connected", wallet=wallet, session=session.id, version=hello.model.version)
        core.engine.submit(
            WorkerConnected(
                wallet,
                session.id,
                model_of(hello.model),
                held_of(hello.held),
                parked_reason=hello.availability.refusal,
            )
        )
        reading = asyncio.create_task(_read(core, session, request_iterator), name=f"stream of {wallet}")
        reading.add_done_callback(lambda done: _read_ended(done, session))
        try:
            while waiting := await session.next_messages():
                _record_outcome(core, session, waiting, context)
                await _write(context, waiting, core)
            if session.overflowed:
                raise SlowReader(_TOO_SLOW)
            if reading.done() and (refusal := reading.exception()) is not None:
                # A malformed message ends the stream with its own gRPC status.
                raise refusal
        finally:
            core.sessions.close(session)
            core.engine.submit(WorkerDisconnected(wallet, session.id))
            reading.cancel()
            await asyncio.wait({reading})
            log.info("worker.disconnected", wallet=wallet, session=session.id)


@contextmanager
def _recording_refusal(core: RunningCore, wallet: str, context: Any) -> Iterator[None]:
    """Record why a worker is refused, for its operator and the pool's."""
    try:
        yield
    except CoreError as error:
        core.refusals.record(wallet, error.reason, error.message, context.peer())
        raise


def _record_outcome(core: RunningCore, session: Session, messages: list[Message], context: Any) -> None:
    """Record the refusal of a connected worker, and drop earlier refusals of an accepted one."""
    for message in messages:
        if isinstance(message, ShutDown) and message.reason == _BAD_VERSION:
            core.refusals.record(session.wallet, message.reason, message.message, context.peer())
        elif isinstance(message, Welcomed):
            core.refusals.forget(session.wallet)


async def _write(context: Any, messages: list[Message], core: RunningCore) -> None:
    """Send messages. Raises SlowReader when the worker does not read them in time."""
    try:
        # One timeout for all messages: a timer per message would cost as much as a small message.
        async with asyncio.timeout(WRITE_TIMEOUT_S):
            for response in responses(messages, core.configuration):
                await context.write(response)
    except TimeoutError as error:
        raise SlowReader(_TOO_SLOW) from error


def _read_ended(reading: asyncio.Task[None], session: Session) -> None:
    if not reading.cancelled() and (error := reading.exception()) is not None:
        log.info("worker_stream.refused", wallet=session.wallet, session=session.id, error=repr(error))
    session.end()


async def _hello(messages: AsyncIterator[pb.ConnectRequest]) -> pb.Hello:
    try:
        async with asyncio.timeout(HELLO_TIMEOUT_S):
            first = await anext(messages)
    except StopAsyncIteration:
        raise HelloExpected("the stream ended before Hello; send Hello first") from None
    except TimeoutError:
        raise HelloExpected(f"no Hello arrived within {HELLO_TIMEOUT_S:g} s; send it first") from None
    if first.WhichOneof("message") != "hello":
        raise HelloExpected("the first message of a stream must be Hello")
    if first.hello.protocol_version != PROTOCOL_VERSION:
        raise BadProtocolVersion(
            f"this scheduler speaks version {PROTOCOL_VERSION} of the stream, "
            f"the worker speaks version {first.hello.protocol_version}; update the older side"
        )
    return first.hello


async def _read(core: RunningCore, session: Session, messages: AsyncIterator[pb.ConnectRequest]) -> None:
    """Submit the messages of a worker until its stream ends. Raises WorkerpoolError for one that is not allowed."""
    wallet, submit = session.wallet, core.engine.submit
    async for message in messages:
        if session.ended:
            return
        match message.WhichOneof("message"):
            case "status_report":
                updates = tuple(map(update_of, message.status_report.updates))
                submit(StatusReported(wallet, session.id, updates))
            case "heartbeat":
                core.heartbeats.beat(wallet, session.id)
            case "command_ack":
                submit(CommandAcknowledged(wallet, message.command_ack.sequence))
            case "availability":
                submit(WorkerParked(wallet, session.id, message.availability.refusal))
            case "leave":
                within_s = seconds_of("return_within", message.leave.return_within)
                log.info("worker.left", wallet=wallet, session=session.id, return_within_s=within_s)
                submit(WorkerLeft(wallet, session.id, within_s))
            case "log_chunk":
                chunk = message.log_chunk
                stream = "stderr" if chunk.stream == pb.LOG_STREAM_STDERR else "stdout"
                core.live_logs.add(TaskId(chunk.task_id), wallet, **{stream: chunk.text})
            case _:
                raise HelloExpected("Hello is only allowed as the first message of a stream")
