"""A worker that a test controls: real wallet, login, stream and transactions, without a computation.

The devnet funds the wallet of every worker; a test takes the wallet of a worker whose process it does not start.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import grpc
from workerpool_devnet.chain.transactions import send
from workerpool_devnet.devnet import Devnet
from workerpool_kit.grpc.client import open_channel
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.contracts import calls
from workerpool_poco.protocol.encoding.typed_data import LoginChallenge, sign_challenge
from workerpool_poco.protocol.ids import TaskId, from_hex, to_hex
from workerpool_poco.protocol.results import result_hash, result_seal
from workerpool_protocol.core.v1 import statuses_pb2 as statuses
from workerpool_protocol.core.v1 import worker_service_pb2 as pb
from workerpool_protocol.core.v1.statuses_pb2 import ReplicateStatus
from workerpool_protocol.core.v1.worker_service_pb2_grpc import WorkerServiceStub

_LIMIT_SECONDS = 60.0
UNTIL_COMPUTED = (
    statuses.REPLICATE_STATUS_STARTING,
    statuses.REPLICATE_STATUS_STARTED,
    statuses.REPLICATE_STATUS_APP_DOWNLOADING,
    statuses.REPLICATE_STATUS_APP_DOWNLOADED,
    statuses.REPLICATE_STATUS_DATA_DOWNLOADING,
    statuses.REPLICATE_STATUS_DATA_DOWNLOADED,
    statuses.REPLICATE_STATUS_COMPUTING,
    statuses.REPLICATE_STATUS_COMPUTED,
)
"""Statuses that a worker reports before it contributes."""


@dataclass
class SimulatedWorker:
    """Create it with `simulated_worker`. It acknowledges and keeps commands, and executes only ABORT."""

    wallet: Wallet
    _stream: Any
    _net: Devnet
    assignments: dict[str, pb.Assignment] = field(default_factory=dict)
    """Assignments by task id."""
    commands: list[pb.Command] = field(default_factory=list)
    """Every received command, in order."""
    _sequence: int = 0
    _answers: dict[int, pb.UpdateResult] = field(default_factory=dict)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)
    _writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def assigned(self, task_id: TaskId) -> pb.Assignment:
        """Wait for the assignment of a task."""
        await self._until(lambda: task_id in self.assignments)
        return self.assignments[task_id]

    async def commanded(self, task_id: TaskId, action: int) -> pb.Command:
        """Wait for a command and return it."""
        found: pb.Command = await self._until(
            lambda: next((c for c in self.commands if (c.task_id, c.action) == (task_id, action)), None)
        )
        return found

    async def report(self, task_id: TaskId, *updates: ReplicateStatus.ValueType, receipt: str = "") -> None:
        """Report statuses and wait until the scheduler has stored each; raise AssertionError on a refusal."""
        for status in updates:
            sequence = await self._report(task_id, status, receipt)
            answer = await self._until(partial(self._answers.get, sequence))
            assert answer.outcome != pb.UPDATE_OUTCOME_REFUSED, answer

    async def park(self, reason: str) -> None:
        """Refuse new work for a reason, or take it again with an empty one."""
        await self._say(pb.ConnectRequest(availability=pb.Availability(refusal=reason)))

    async def start_all(self) -> None:
        """Start every task that is assigned and compute it without end, until cancelled."""
        started: set[str] = set()
        while True:
            await self._until(lambda: self.assignments.keys() - started, limit_s=None)
            for task_id in sorted(self.assignments.keys() - started):
                started.add(task_id)
                await self.report(TaskId(task_id), *UNTIL_COMPUTED[:-1])

    async def contribute(self, task_id: TaskId, digest: bytes, *, started: bool = False) -> None:
        """Report every stage and contribute `digest` on chain without a computation; `started` ones compute already."""
        assignment = await self.assigned(task_id)
        stages = UNTIL_COMPUTED[-1:] if started else UNTIL_COMPUTED
        await self.report(task_id, *stages, statuses.REPLICATE_STATUS_CONTRIBUTING)
        task = TaskId(task_id)
        call = calls.contribute(
            task,
            result_hash(task, digest),
            result_seal(self.wallet.address, task, digest),
            from_hex(assignment.authorization.signature),
            enclave_challenge=assignment.authorization.enclave_challenge,
        )
        net = self._net
        mined = await asyncio.to_thread(
            send, net.chain.rpc, self.wallet, net.contracts.hub, call.data, gas=1_000_000
        )
        await self.report(task_id, statuses.REPLICATE_STATUS_CONTRIBUTED, receipt=mined["transactionHash"])

    async def _until(self, condition: Callable[[], Any], *, limit_s: float | None = _LIMIT_SECONDS) -> Any:
        async with asyncio.timeout(limit_s), self._news:
            return await self._news.wait_for(condition)

    async def _report(self, task_id: TaskId, status: ReplicateStatus.ValueType, receipt: str = "") -> int:
        self._sequence += 1
        details = pb.StatusDetails()
        if receipt:
            details.chain_receipt.transaction_hash = receipt
        update = pb.StatusUpdate(sequence=self._sequence, task_id=task_id, status=status, details=details)
        await self._say(pb.ConnectRequest(status_report=pb.StatusReport(updates=[update])))
        return update.sequence

    async def _say(self, message: pb.ConnectRequest) -> None:
        async with self._writing:
            await self._stream.write(message)

    async def _listen(self) -> None:
        while (message := await self._stream.read()) is not grpc.aio.EOF:  # type: ignore[attr-defined]
            match message.WhichOneof("message"):
                case "decisions":
                    self._answers |= {result.sequence: result for result in message.decisions.results}
                    for assignment in message.decisions.assignments:
                        self.assignments[assignment.task.task_id] = assignment
                case "command":
                    await self._take(message.command)
            async with self._news:
                self._news.notify_all()

    async def _take(self, command: pb.Command) -> None:
        self.commands.append(command)
        await self._say(pb.ConnectRequest(command_ack=pb.CommandAck(sequence=command.sequence)))
        if command.action == pb.ACTION_ABORT:
            await self._report(TaskId(command.task_id), statuses.REPLICATE_STATUS_ABORTED)

    async def _beat(self, period_s: float) -> None:
        while True:
            await self._say(pb.ConnectRequest(heartbeat=pb.Heartbeat(free_slots=1)))
            await asyncio.sleep(period_s)


@contextlib.asynccontextmanager
async def simulated_worker(net: Devnet, name: str, *, slots: int = 1) -> AsyncIterator[SimulatedWorker]:
    """Log in with the wallet of a worker of the devnet and keep its stream open."""
    wallet = net.account(name)
    channel = open_channel(net.services["core"].grpc, own_subchannel=True)
    try:
        stub = WorkerServiceStub(channel)
        token = await _login(stub, net, wallet)
        stream: Any = stub.Connect(metadata=(("authorization", f"Bearer {token}"),))  # type: ignore[call-arg]
        model = pb.WorkerModel(name=name, version="simulated", slots=slots, memory_bytes=1 << 30)
        await stream.write(pb.ConnectRequest(hello=pb.Hello(protocol_version=1, model=model)))
        welcome = (await stream.read()).welcome
        worker = SimulatedWorker(wallet, stream, net)
        living = [
            asyncio.create_task(worker._listen()),
            asyncio.create_task(worker._beat(welcome.heartbeat_period.ToNanoseconds() / 1e9)),
        ]
        try:
            yield worker
        finally:
            for task in living:
                task.cancel()
            await asyncio.gather(*living, return_exceptions=True)
            stream.cancel()
    finally:
        await channel.close(None)


async def _login(stub: WorkerServiceStub, net: Devnet, wallet: Wallet) -> str:
    asked = await stub.CreateChallenge(  # type: ignore[misc]
        pb.CreateChallengeRequest(wallet_address=wallet.address)
    )
    message = json.loads(asked.typed_data_json)["message"]
    challenge = LoginChallenge(
        wallet.address, message["challenge"], int(message["issuedAt"]), net.chain.chain_id, net.workerpool
    )
    signature = to_hex(sign_challenge(wallet, challenge))
    request = pb.LoginRequest(wallet_address=wallet.address, signature=signature)
    return str((await stub.Login(request)).token)  # type: ignore[misc]
