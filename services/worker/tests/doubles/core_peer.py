"""A scheduler that does only what a test tells it to.

So a test can do what the real one never would: cut the stream, repeat a command, forget a task.
"""

import asyncio
import json
from collections import defaultdict

import grpc
from google.protobuf.duration_pb2 import Duration
from workerpool_kit.errors import Kind, WorkerpoolError
from workerpool_kit.grpc.errors import abort
from workerpool_kit.targets import GRPC_PORT_OFFSET
from workerpool_poco.protocol.ids import ZERO_ADDRESS, from_hex
from workerpool_poco.protocol.statuses import ReplicateStatus
from workerpool_poco.protocol.typed_data import LoginChallenge, recover_challenge_signer
from workerpool_protocol.core.v1 import statuses_pb2, worker_service_pb2_grpc
from workerpool_protocol.core.v1 import worker_service_pb2 as pb

from services.worker.tests.harness.waiting import wait_until

TOKEN = "token-of-the-tests"


class ForeignReplicate(WorkerpoolError):
    """A worker speaks of a replicate that is not its own."""

    kind = Kind.PERMISSION
    reason = "FOREIGN_REPLICATE"


class CorePeer(worker_service_pb2_grpc.WorkerServiceServicer):
    """A scheduler that accepts every update and does what the test says."""

    def __init__(self, workerpool, chain_id):
        self.chain_id = chain_id
        self.configuration = pb.PublicConfiguration(workerpool=workerpool, scheduler=ZERO_ADDRESS)
        self.logins = []
        self.hellos = []
        self.beats = []
        self.acks = []
        self.printed = []
        self.updates = defaultdict(list)
        self.seen = {}
        self.dropped = []
        self.silent = False
        self.foreign = False
        """Whether output ends the stream, as when it is of another worker's replicate."""
        self.answer = None
        self._down = None
        self._server = None
        self._port = 0
        self._sequence = 0

    async def start(self):
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        worker_service_pb2_grpc.add_WorkerServiceServicer_to_server(self, self._server)
        self._port = self._server.add_insecure_port(f"127.0.0.1:{self._port}")
        await self._server.start()

    async def stop(self):
        await self._server.stop(None)
        self._down = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self._port - GRPC_PORT_OFFSET}"

    @property
    def connected(self):
        return self._down is not None

    # service

    async def GetConfig(self, request, context):
        return pb.GetConfigResponse(configuration=self.configuration)

    async def CreateChallenge(self, request, context):
        challenge = LoginChallenge(
            request.wallet_address, "challenge", 1_700_000_000, self.chain_id, self.configuration.workerpool
        )
        return pb.CreateChallengeResponse(typed_data_json=json.dumps(challenge.to_json()))

    async def Login(self, request, context):
        challenge = LoginChallenge(
            request.wallet_address, "challenge", 1_700_000_000, self.chain_id, self.configuration.workerpool
        )
        if recover_challenge_signer(challenge, from_hex(request.signature)) != request.wallet_address:
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "wrong signature")
        self.logins.append(request.wallet_address)
        return pb.LoginResponse(token=TOKEN)

    async def Connect(self, request_iterator, context):
        metadata = dict(context.invocation_metadata())
        if metadata.get("authorization") != f"Bearer {TOKEN}":
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "log in first")
        down = asyncio.Queue()
        reader = asyncio.create_task(self._read(request_iterator, down))
        try:
            while (message := await down.get()) is not None:
                if isinstance(message, WorkerpoolError):
                    await abort(context, message)
                yield message
        finally:
            reader.cancel()
            if self._down is down:
                self._down = None

    async def _read(self, messages, down):
        async for message in messages:
            match message.WhichOneof("message"):
                case "hello":
                    self.hellos.append(message.hello)
                    welcome = pb.Welcome(
                        session_id=f"session-{len(self.hellos)}",
                        configuration=self.configuration,
                        heartbeat_period=Duration(nanos=200_000_000),
                        dropped_task_ids=self.dropped,
                    )
                    down.put_nowait(pb.ConnectResponse(welcome=welcome))
                    self._down = down
                case "heartbeat":
                    self.beats.append(message.heartbeat)
                case "command_ack":
                    self.acks.append(message.command_ack.sequence)
                case "log_chunk":
                    if self.foreign:
                        down.put_nowait(ForeignReplicate("this worker holds no replicate of the task"))
                    self.printed.append(message.log_chunk)
                case "status_report":
                    self._reported(message.status_report, down)

    def _reported(self, report, down):
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

    # what tests say and see

    def send(self, **message):
        self._down.put_nowait(pb.ConnectResponse(**message))

    def assign(self, *assignments):
        self.send(decisions=pb.Decisions(assignments=assignments))

    def cut(self):
        """End the stream."""
        self._down.put_nowait(None)
        self._down = None

    def command(self, task_id, action, *, sequence=None, block=0, cause=0):
        self._sequence = sequence or self._sequence + 1
        self.send(
            command=pb.Command(
                sequence=self._sequence, task_id=task_id, action=action, block_number=block, cause=cause
            )
        )
        return self._sequence

    def output(self, task_id, stream=pb.LOG_STREAM_STDOUT):
        """Return what came of an app's output while it ran."""
        return "".join(each.text for each in self.printed if (each.task_id, each.stream) == (task_id, stream))

    def statuses(self, task_id):
        return [
            ReplicateStatus(
                statuses_pb2.ReplicateStatus.Name(update.status).removeprefix("REPLICATE_STATUS_")
            )
            for update in self.updates[task_id]
        ]

    async def status(self, task_id, status, limit_s=30.0):
        """Wait for a status and return its update."""

        def found():
            for update, name in zip(self.updates[task_id], self.statuses(task_id), strict=True):
                if name is ReplicateStatus(status):
                    return update
            return None

        return await wait_until(found, limit_s, f"{status} (so far {self.statuses(task_id)})")
