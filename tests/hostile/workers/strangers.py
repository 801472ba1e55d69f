"""Wallets that log in like workers and then behave badly: silent, lying, wrong, or gone."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc
from workerpool_devnet.devnet import Devnet
from workerpool_kit.grpc.client import open_channel
from workerpool_kit.runtime.tasks import end_tasks
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.encoding.typed_data import LoginChallenge, sign_challenge
from workerpool_poco.protocol.ids import to_hex
from workerpool_protocol.core.v1 import worker_service_pb2 as pb
from workerpool_protocol.core.v1.worker_service_pb2_grpc import WorkerServiceStub

from hostile.workers.manners import MANNERS, Manner, Reports

_RETRY_SECONDS = 2.0
_CALL_SECONDS = 10.0


@dataclass(frozen=True)
class Stranger:
    """One hostile worker: its role in the devnet's accounts, and how it behaves."""

    role: str
    manner: str
    stake: bool = True
    slots: int = 2


STRANGERS = (
    Stranger("silent-without-stake-1", "silent", stake=False),
    Stranger("silent-without-stake-2", "silent", stake=False, slots=8),
    Stranger("silent-with-stake", "silent"),
    Stranger("claims-to-compute", "claims-computed"),
    Stranger("claims-to-contribute", "claims-contributed"),
    Stranger("contributes-wrong-digests", "wrong-digest"),
    Stranger("fails-everything", "fails"),
    Stranger("comes-and-goes", "silent"),
)
_RESTLESS = frozenset({"comes-and-goes"})
_SHORTEST_STAY_S, _LONGEST_STAY_S = 1.0, 20.0


@dataclass
class Presence:
    """Keeps one stranger connected."""

    net: Devnet
    stranger: Stranger
    chosen: random.Random
    wallet: Wallet = field(init=False)
    assigned: int = 0
    """Number of assignments received."""

    def __post_init__(self) -> None:
        """Derive the wallet."""
        self.wallet = self.net.account(self.stranger.role)

    async def stay(self) -> None:
        """Connect, behave, and connect again until cancelled."""
        channel = open_channel(self.net.services["core"].grpc, own_subchannel=True)
        try:
            while True:
                with contextlib.suppress(grpc.aio.AioRpcError, ConnectionError, TimeoutError):
                    await self._visit(WorkerServiceStub(channel))
                await asyncio.sleep(_RETRY_SECONDS)
        finally:
            await channel.close(None)

    async def _visit(self, stub: WorkerServiceStub) -> None:
        token = await self._login(stub)
        stream: Any = stub.Connect(metadata=(("authorization", f"Bearer {token}"),))  # type: ignore[call-arg]
        model = pb.WorkerModel(
            name=self.stranger.role, version="0.1.0", slots=self.stranger.slots, memory_bytes=8 << 30
        )
        try:
            await stream.write(pb.ConnectRequest(hello=pb.Hello(protocol_version=1, model=model)))
            welcome = (await stream.read()).welcome
            period_s = welcome.heartbeat_period.ToNanoseconds() / 1e9 or 5.0
            manner = MANNERS[self.stranger.manner](self.net, self.wallet, Reports(stream))
            async with asyncio.timeout(self._stay_s()), asyncio.TaskGroup() as group:
                group.create_task(self._beat(manner.reports, period_s))
                await self._listen(stream, manner, group)
                raise ConnectionError("the stream ended")
        except* (grpc.aio.AioRpcError, ConnectionError):
            pass
        finally:
            stream.cancel()

    def _stay_s(self) -> float | None:
        if self.stranger.role not in _RESTLESS:
            return None
        return self.chosen.uniform(_SHORTEST_STAY_S, _LONGEST_STAY_S)

    async def _listen(self, stream: Any, manner: Manner, group: asyncio.TaskGroup) -> None:
        while (message := await stream.read()) is not grpc.aio.EOF:  # type: ignore[attr-defined]
            match message.WhichOneof("message"):
                case "decisions":
                    for assignment in message.decisions.assignments:
                        self.assigned += 1
                        group.create_task(manner.take(assignment))
                case "command":
                    group.create_task(manner.obey(message.command))
                case "shutdown":
                    return

    async def _beat(self, reports: Reports, period_s: float) -> None:
        while True:
            await reports.say(pb.ConnectRequest(heartbeat=pb.Heartbeat(free_slots=self.stranger.slots)))
            await asyncio.sleep(period_s)

    async def _login(self, stub: WorkerServiceStub) -> str:
        asked = await stub.CreateChallenge(  # type: ignore[misc]
            pb.CreateChallengeRequest(wallet_address=self.wallet.address), timeout=_CALL_SECONDS
        )
        message = json.loads(asked.typed_data_json)["message"]
        challenge = LoginChallenge(
            self.wallet.address,
            message["challenge"],
            int(message["issuedAt"]),
            self.net.chain.chain_id,
            self.net.workerpool,
        )
        signature = to_hex(sign_challenge(self.wallet, challenge))
        request = pb.LoginRequest(wallet_address=self.wallet.address, signature=signature)
        return str((await stub.Login(request, timeout=_CALL_SECONDS)).token)  # type: ignore[misc]


@contextlib.asynccontextmanager
async def present(
    net: Devnet, seed: int, strangers: Sequence[Stranger] = STRANGERS
) -> AsyncIterator[list[Presence]]:
    """Keep strangers connected inside a context."""
    presences = [Presence(net, stranger, random.Random(f"{seed} {stranger.role}")) for stranger in strangers]
    living = [asyncio.create_task(presence.stay(), name=presence.stranger.role) for presence in presences]
    try:
        yield presences
    finally:
        await end_tasks(*living)
