"""A scheduler that does what a test says: it can cut the stream, repeat a command, forget a task."""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from patience import PATIENCE_S
from workerpool_kit.errors import Kind, WorkerpoolError
from workerpool_kit.grpc.errors import abort
from workerpool_kit.targets import GRPC_PORT_OFFSET
from workerpool_poco.protocol.encoding.typed_data import LoginChallenge, recover_challenge_signer
from workerpool_poco.protocol.ids import ZERO_ADDRESS, from_hex
from workerpool_protocol.core.v1 import (
    pool_service_pb2,
    pool_service_pb2_grpc,
    statuses_pb2,
    worker_service_pb2_grpc,
)
from workerpool_protocol.core.v1 import worker_service_pb2 as pb

from services.worker.tests.harness.waiting import wait_until

TOKEN = "token-of-the-tests"
Answer = Callable[[pb.StatusUpdate, pb.UpdateResult], None]
"""Changes the result of an update before it is sent."""
Down = asyncio.Queue["pb.ConnectResponse | WorkerpoolError | None"]
"""Messages to the worker. An error or None ends the stream."""


def cause_of(update: pb.StatusUpdate) -> str:
    """Return the protocol's name of an update's cause."""
    name = statuses_pb2.ReplicateStatusCause.Name(update.details.cause)
    return name.removeprefix("REPLICATE_STATUS_CAUSE_")


class ForeignReplicate(WorkerpoolError):
    """A worker sent output of a replicate that is not its own."""

    kind = Kind.PERMISSION
    reason = "FOREIGN_REPLICATE"


class NotWhitelisted(WorkerpoolError):
    """The pool does not admit a wallet."""

    kind = Kind.PERMISSION
    reason = "NOT_WHITELISTED"


class UnknownWorker(WorkerpoolError):
    """No worker with the wallet has connected."""

    kind = Kind.NOT_FOUND
    reason = "UNKNOWN_WORKER"


class PoolPeer(pool_service_pb2_grpc.PoolServiceServicer):
    """What a scheduler tells of its workers. `workers` are the answers by wallet."""

    def __init__(self) -> None:
        self.workers: dict[str, pool_service_pb2.GetWorkerResponse] = {}

    async def GetWorker(self, request: Any, context: Any) -> pool_service_pb2.GetWorkerResponse:
        if request.wallet_address not in self.workers:
            await abort(context, UnknownWorker("no worker with this wallet has registered"))
        return self.workers[request.wallet_address]


class CorePeer(worker_service_pb2_grpc.WorkerServiceServicer):
    """A scheduler that accepts every update unless the test changes its answer."""

    def __init__(self, workerpool: str, chain_id: int) -> None:
        self.chain_id = chain_id
        self.configuration = pb.PublicConfiguration(workerpool=workerpool, scheduler=ZERO_ADDRESS)
        self.pool = PoolPeer()  # type: ignore[abstract]  # the worker calls no other method
        self.excluded: set[str] = set()
        """Wallets that are not on the whitelist."""
        self.leaves: list[pb.Leave] = []
        self.refusals: list[str] = []
        """Why the worker takes no work, as it told one after the other; empty when it takes work again."""
        self.logins: list[str] = []
        self.hellos: list[pb.Hello] = []
        self.heartbeats: list[pb.Heartbeat] = []
        self.acks: list[int] = []
        self.chunks: list[pb.LogChunk] = []
        self.updates: dict[str, list[pb.StatusUpdate]] = defaultdict(list)
        self.seen: dict[int, pb.StatusUpdate] = {}
        self.dropped: list[str] = []
        self.heartbeat_period = Duration(nanos=200_000_000)
        self.silent = False
        """Whether updates stay unanswered."""
        self.foreign = False
        """Whether output ends the stream, as output of another worker's replicate does."""
        self.answer: Answer | None = None
        self._down: Down | None = None
        self._server: grpc.aio.Server | None = None
        self._port = 0
        self._sequence = 0

    async def start(self) -> None:
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        worker_service_pb2_grpc.add_WorkerServiceServicer_to_server(self, self._server)
        pool_service_pb2_grpc.add_PoolServiceServicer_to_server(self.pool, self._server)
        self._port = self._server.add_insecure_port(f"127.0.0.1:{self._port}")
        await self._server.start()

    async def stop(self) -> None:
        assert self._server is not None
        await self._server.stop(None)
        self._down = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port - GRPC_PORT_OFFSET}"

    @property
    def connected(self) -> bool:
        return self._down is not None

    # --- service -------------------------------------------------------------

    async def GetConfig(self, request: Any, context: Any) -> pb.GetConfigResponse:
        now = Timestamp()
        now.FromNanoseconds(time.time_ns())
        return pb.GetConfigResponse(configuration=self.configuration, server_time=now)

    async def CreateChallenge(self, request: Any, context: Any) -> pb.CreateChallengeResponse:
        if request.wallet_address in self.excluded:
            await abort(context, NotWhitelisted("this wallet is not on the pool's whitelist"))
        challenge = self._challenge(request.wallet_address)
        return pb.CreateChallengeResponse(typed_data_json=json.dumps(challenge.to_json()))

    async def Login(self, request: Any, context: Any) -> pb.LoginResponse:
        challenge = self._challenge(request.wallet_address)
        if recover_challenge_signer(challenge, from_hex(request.signature)) != request.wallet_address:
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "wrong signature")
        self.logins.append(request.wallet_address)
        return pb.LoginResponse(token=TOKEN)

    def _challenge(self, wallet: str) -> LoginChallenge:
        return LoginChallenge(
            wallet, "challenge", 1_700_000_000, self.chain_id, self.configuration.workerpool
        )

    async def Connect(self, request_iterator: Any, context: Any) -> AsyncIterator[pb.ConnectResponse]:
        metadata = dict(context.invocation_metadata())
        if metadata.get("authorization") != f"Bearer {TOKEN}":
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "log in first")
        down: Down = asyncio.Queue()
        reader = asyncio.create_task(self._read(request_iterator, down))
        try:
            while (message := await down.get()) is not None:
                if isinstance(message, WorkerpoolError):
                    await abort(context, message)
                else:
                    yield message
        finally:
            reader.cancel()
            if self._down is down:
                self._down = None

    async def _read(self, messages: Any, down: Down) -> None:
        async for message in messages:
            match message.WhichOneof("message"):
                case "hello":
                    self.hellos.append(message.hello)
                    welcome = pb.Welcome(
                        session_id=f"session-{len(self.hellos)}",
                        configuration=self.configuration,
                        heartbeat_period=self.heartbeat_period,
                        dropped_task_ids=self.dropped,
                    )
                    down.put_nowait(pb.ConnectResponse(welcome=welcome))
                    self._down = down
                case "heartbeat":
                    self.heartbeats.append(message.heartbeat)
                case "command_ack":
                    self.acks.append(message.command_ack.sequence)
                case "availability":
                    self.refusals.append(message.availability.refusal)
                case "leave":
                    self.leaves.append(message.leave)
                    farewell = pb.Shutdown(reason="LEFT", retry_after=Duration())
                    down.put_nowait(pb.ConnectResponse(shutdown=farewell))
                    down.put_nowait(None)
                case "log_chunk":
                    if self.foreign:
                        down.put_nowait(ForeignReplicate("this worker holds no replicate of the task"))
                    self.chunks.append(message.log_chunk)
                case "status_report":
                    self._answer_report(message.status_report, down)

    def _answer_report(self, report: pb.StatusReport, down: Down) -> None:
        results = []
        for update in report.updates:
            if update.sequence not in self.seen:
                self.seen[update.sequence] = update
                self.updates[update.task_id].append(update)
            result = pb.UpdateResult(sequence=update.sequence, outcome=pb.UPDATE_OUTCOME_ACCEPTED)
            if self.answer is not None:
                self.answer(update, result)
            results.append(result)
        if not self.silent:
            down.put_nowait(pb.ConnectResponse(decisions=pb.Decisions(results=results)))

    # --- for tests -----------------------------------------------------------

    def send(self, **message: Any) -> None:
        """Send a message to the connected worker."""
        assert self._down is not None, "no worker is connected"
        self._down.put_nowait(pb.ConnectResponse(**message))

    def assign(self, *assignments: pb.Assignment) -> None:
        """Send assignments."""
        self.send(decisions=pb.Decisions(assignments=assignments))

    def cut(self) -> None:
        """End the stream."""
        assert self._down is not None, "no worker is connected"
        self._down.put_nowait(None)
        self._down = None

    def command(
        self,
        task_id: str,
        action: pb.Action.ValueType,
        *,
        sequence: int | None = None,
        block: int = 0,
        cause: statuses_pb2.ReplicateStatusCause.ValueType = statuses_pb2.REPLICATE_STATUS_CAUSE_UNSPECIFIED,
    ) -> int:
        """Send a command and return its sequence."""
        self._sequence = sequence or self._sequence + 1
        self.send(
            command=pb.Command(
                sequence=self._sequence, task_id=task_id, action=action, block_number=block, cause=cause
            )
        )
        return self._sequence

    def output(self, task_id: str, stream: pb.LogStream.ValueType = pb.LOG_STREAM_STDOUT) -> str:
        """Return the live output of an app so far."""
        return "".join(each.text for each in self.chunks if (each.task_id, each.stream) == (task_id, stream))

    def statuses(self, task_id: str) -> list[str]:
        """Return the reported statuses of a task, in order."""
        return [
            statuses_pb2.ReplicateStatus.Name(update.status).removeprefix("REPLICATE_STATUS_")
            for update in self.updates[task_id]
        ]

    async def status(self, task_id: str, status: str, limit_s: float = PATIENCE_S) -> pb.StatusUpdate:
        """Wait for a status and return its update."""

        def found() -> pb.StatusUpdate | None:
            for update, name in zip(self.updates[task_id], self.statuses(task_id), strict=True):
                if name == status:
                    return update
            return None

        update = await wait_until(found, limit_s, f"{status} (so far {self.statuses(task_id)})")
        assert isinstance(update, pb.StatusUpdate)
        return update

    async def heartbeat(self, *, free_slots: int, limit_s: float = PATIENCE_S) -> pb.Heartbeat:
        """Wait for a heartbeat with a number of free slots. Those that came before the call do not count."""
        earlier = len(self.heartbeats)

        def found() -> pb.Heartbeat | None:
            return next((each for each in self.heartbeats[earlier:] if each.free_slots == free_slots), None)

        heartbeat = await wait_until(found, limit_s, f"a heartbeat with {free_slots} free slots")
        assert isinstance(heartbeat, pb.Heartbeat)
        return heartbeat


def refusing_as_unknown(core: CorePeer, task_id: str, status: str) -> list[int]:
    """Refuse updates of a task as unknown from a status on. Return the refused statuses."""
    number = statuses_pb2.ReplicateStatus.Value(f"REPLICATE_STATUS_{status}")
    refused: list[int] = []

    def refuse(update: pb.StatusUpdate, result: pb.UpdateResult) -> None:
        if update.task_id == task_id and (refused or update.status == number):
            refused.append(update.status)
            result.outcome = pb.UPDATE_OUTCOME_REFUSED
            result.next_action = pb.ACTION_ABORT
            result.reason = "UNKNOWN_REPLICATE"

    core.answer = refuse
    return refused
