"""One simulated worker: its own wallet, the real login and stream, no computation."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc
from workerpool_kit.grpc.client import open_channel
from workerpool_kit.heartbeats import heartbeat_phase, until_heartbeat
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.encoding.typed_data import LoginChallenge, sign_challenge
from workerpool_poco.protocol.ids import to_hex
from workerpool_protocol.core.v1 import worker_service_pb2 as pb
from workerpool_protocol.core.v1.worker_service_pb2_grpc import WorkerServiceStub

from bench.replicates import CHAIN, COMPUTED, Rhythm

_MAX_UPDATES = 1_024
"""Updates that the contract allows in one StatusReport."""
_CALL_LIMIT_S = 60.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 2.0
_RECONNECT_S = 1.0
"""Seconds before the second connection attempt. Earlier attempts of thousands of workers would take the processor
time that the restarting scheduler needs; in a real pool they run on other hosts."""
_MEMORY_BYTES = 64 << 30


@dataclass(frozen=True)
class PoolAddress:
    """The address of the scheduler and the expected content of its challenges."""

    target: str
    chain_id: int
    workerpool: str


@dataclass(slots=True)
class HeldReplicate:
    """A replicate of the worker: the number of its sent and acknowledged statuses."""

    sent: int = 0
    acknowledged: int = 0


class SimulatedWorker:
    """Keeps its assignments; while `open`, reports the statuses of each replicate up to `until`.

    It calls `on_done` after the acknowledgement of the last status of a replicate, `on_dispatch` with the seconds from
    the COMPUTED report that frees a slot to the Assignment that fills it, and `on_problem` with every answer other
    than ACCEPTED.
    """

    def __init__(
        self,
        wallet: Wallet,
        pool: PoolAddress,
        slots: int,
        *,
        on_done: Callable[[], None],
        on_dispatch: Callable[[float], None],
        on_problem: Callable[[str], None],
    ) -> None:
        self.wallet = wallet
        self.held: dict[str, HeldReplicate] = {}
        self.connections = 0
        """Number of received Welcomes."""
        self.open = False
        self.until: int = COMPUTED
        self.rhythm = Rhythm.GATHERED
        self._pool = pool
        self._slots = slots
        self._on_done = on_done
        self._on_dispatch = on_dispatch
        self._on_problem = on_problem
        self._token = ""
        self._sequence = 0
        self._outgoing: deque[pb.StatusUpdate] = deque()
        self._unanswered: dict[int, pb.StatusUpdate] = {}
        self._something = asyncio.Event()
        self._beat_is_due = False
        self._freed: deque[float] = deque()

    def is_quiet(self, refilled: bool) -> bool:
        """Return whether every report is answered and, with `refilled`, every slot is filled again."""
        return not self._unanswered and not (refilled and self._freed)

    @property
    def state(self) -> tuple[int, int, int, tuple[tuple[int, int], ...]]:
        """Connections, unanswered updates, unsent updates, and sent and acknowledged statuses of the replicates."""
        held = tuple((held.sent, held.acknowledged) for held in self.held.values())
        return self.connections, len(self._unanswered), len(self._outgoing), held

    def advance(self) -> None:
        """Report every replicate as far as `open`, `until` and `rhythm` allow."""
        if self.open:
            for task_id, held in self.held.items():
                self._advance(task_id, held)

    async def run(self, delay_s: float = 0.0) -> None:
        """Connect after `delay_s`, and reconnect until cancelled."""
        await asyncio.sleep(delay_s)
        pause = _FIRST_PAUSE_S
        channel = open_channel(self._pool.target, own_subchannel=True, first_pause_s=_RECONNECT_S)
        try:
            while True:
                welcomes = self.connections
                try:
                    stub = WorkerServiceStub(channel)
                    if not self._token:
                        self._token = await self._login(stub)
                    await self._stream(stub)
                except grpc.aio.AioRpcError as error:
                    if error.code() is grpc.StatusCode.UNAUTHENTICATED:
                        self._token = ""
                    elif not _is_cut(error):
                        self._on_problem(f"{error.code().name}: {error.details()}")
                if self.connections > welcomes:
                    pause = _FIRST_PAUSE_S
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))
                pause = min(2 * pause, _LONGEST_PAUSE_S)
        finally:
            await channel.close(None)

    async def _login(self, stub: WorkerServiceStub) -> str:
        challenge = await stub.CreateChallenge(  # type: ignore[misc]
            pb.CreateChallengeRequest(wallet_address=self.wallet.address), timeout=_CALL_LIMIT_S
        )
        message = json.loads(challenge.typed_data_json)["message"]
        # Domain and wallet come from the configuration, so that only a challenge of this pool is signed.
        signed = sign_challenge(
            self.wallet,
            LoginChallenge(
                self.wallet.address,
                message["challenge"],
                int(message["issuedAt"]),
                self._pool.chain_id,
                self._pool.workerpool,
            ),
        )
        request = pb.LoginRequest(wallet_address=self.wallet.address, signature=to_hex(signed))
        answer = await stub.Login(request, timeout=_CALL_LIMIT_S)  # type: ignore[misc]
        return str(answer.token)

    async def _stream(self, stub: WorkerServiceStub) -> None:
        # The channel reconnects by itself. Repeated calls that fail cost a hundred times as much, and here
        # thousands of workers share the processors with the restarting scheduler.
        stream: Any = stub.Connect(  # type: ignore[call-arg]
            metadata=(("authorization", f"Bearer {self._token}"),), wait_for_ready=True
        )
        await stream.write(pb.ConnectRequest(hello=self._hello()))
        # Unanswered updates are reported again; the scheduler answers ALREADY_KNOWN to stored ones.
        self._outgoing = deque(self._unanswered.values())
        self._freed.clear()
        talking: list[asyncio.Task[None]] = []
        try:
            while (message := await stream.read()) is not grpc.aio.EOF:  # type: ignore[attr-defined]
                match message.WhichOneof("message"):
                    case "welcome":
                        self.connections += 1
                        period = message.welcome.heartbeat_period.ToTimedelta().total_seconds()
                        talking += [
                            asyncio.create_task(self._beat(period)),
                            asyncio.create_task(self._speak(stream)),
                        ]
                        for task_id in message.welcome.dropped_task_ids:
                            self._on_problem(f"replicate of {task_id} dropped by the scheduler")
                            self.held.pop(task_id, None)
                        self.advance()
                    case "decisions":
                        for result in message.decisions.results:
                            self._answered(result)
                        for assignment in message.decisions.assignments:
                            self._assigned(assignment.task.task_id)
                    case "command":
                        self._on_problem(f"command {message.command.action} for {message.command.task_id}")
                    case "shutdown":
                        self._on_problem(f"shutdown: {message.shutdown.reason}")
        finally:
            for task in talking:
                task.cancel()
            stream.cancel()

    def _hello(self) -> pb.Hello:
        model = pb.WorkerModel(
            name=f"bench {self.wallet.address}",
            version="bench",
            os="Linux",
            cpu="simulated",
            slots=self._slots,
            memory_bytes=_MEMORY_BYTES,
        )
        held = [
            pb.HeldReplicate(task_id=task_id, status=CHAIN[held.sent - 1])
            for task_id, held in self.held.items()
            if held.sent
        ]
        return pb.Hello(protocol_version=1, model=model, held=held)

    async def _beat(self, period: float) -> None:
        phase = heartbeat_phase(period)
        while True:
            await asyncio.sleep(until_heartbeat(time.time(), period, phase))
            self._beat_is_due = True
            self._something.set()

    async def _speak(self, stream: Any) -> None:
        """Write pending messages, one at a time."""
        while True:
            while not self._outgoing and not self._beat_is_due:
                self._something.clear()
                await self._something.wait()
            if self._beat_is_due:
                self._beat_is_due = False
                free = self._slots - len(self.held)
                await stream.write(pb.ConnectRequest(heartbeat=pb.Heartbeat(free_slots=free)))
                continue
            most = 1 if self.rhythm is Rhythm.SINGLE else _MAX_UPDATES
            updates = [self._outgoing.popleft() for _ in range(min(most, len(self._outgoing)))]
            now = time.perf_counter()
            self._freed.extend(now for update in updates if update.status == COMPUTED)
            await stream.write(pb.ConnectRequest(status_report=pb.StatusReport(updates=updates)))

    def _assigned(self, task_id: str) -> None:
        if task_id in self.held:
            return  # the scheduler repeats an unreported assignment
        if self._freed:
            self._on_dispatch(time.perf_counter() - self._freed.popleft())
        held = self.held[task_id] = HeldReplicate()
        if self.open:
            self._advance(task_id, held)

    def _advance(self, task_id: str, held: HeldReplicate) -> None:
        end = CHAIN.index(self.until) + 1
        if self.rhythm is Rhythm.STEPWISE:
            end = min(end, held.acknowledged + 1)
        while held.sent < end:
            self._sequence += 1
            update = pb.StatusUpdate(sequence=self._sequence, task_id=task_id, status=CHAIN[held.sent])
            held.sent += 1
            self._unanswered[self._sequence] = update
            self._outgoing.append(update)
            self._something.set()

    def _answered(self, result: pb.UpdateResult) -> None:
        update = self._unanswered.pop(result.sequence, None)
        if update is None:
            return  # answered on the previous stream
        if result.outcome == pb.UPDATE_OUTCOME_REFUSED:
            self._on_problem(f"update refused: {result.reason} {result.message}")
            return
        held = self.held[update.task_id]
        held.acknowledged += 1
        if update.status == COMPUTED:
            del self.held[update.task_id]
        if update.status == self.until:
            self._on_done()
        elif self.open:
            self._advance(update.task_id, held)


def _is_cut(error: grpc.aio.AioRpcError) -> bool:
    """Return whether the connection is lost; a write to an ended stream fails locally as INTERNAL."""
    code, details = error.code(), error.details() or ""
    return code is grpc.StatusCode.UNAVAILABLE or (
        code is grpc.StatusCode.INTERNAL and "Internal error from Core" in details
    )
