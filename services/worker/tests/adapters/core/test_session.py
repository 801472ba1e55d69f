"""The stream in this process: Welcome, heartbeats, resends, drain, reconnects, refusals."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from patience import PATIENCE_S
from workerpool_kit.health import Health
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.ids import to_hex
from workerpool_poco.protocol.model import Block
from workerpool_poco.protocol.statuses import ReplicateStatus
from workerpool_protocol.core.v1 import worker_service_pb2 as pb
from workerpool_worker.adapters.core.client import CoreClient
from workerpool_worker.adapters.core.session import CoreSession, HostModel
from workerpool_worker.app.ports import OutputSink
from workerpool_worker.app.replicate import Replicate
from workerpool_worker.app.replicate_context import ReplicateContext
from workerpool_worker.app.supervisor import Supervisor
from workerpool_worker.domain.output_tail import OutputStream
from workerpool_worker.domain.stages import Stage
from workerpool_worker.domain.updates import Update
from workerpool_worker.errors import CoreRefused

from services.worker.tests.adapters.core.test_messages import assignment_message
from services.worker.tests.doubles.core_peer import CorePeer
from services.worker.tests.harness.builders import OTHER_TASK_ID, TASK_ID, WORKER, assignment
from services.worker.tests.harness.context import make_context, unexpected
from services.worker.tests.harness.waiting import Eventually

WALLET = Wallet.create()
MODEL = HostModel("worker", "1.0", "Linux", "x86_64", slots=2, memory_bytes=1 << 30, gpus=0)


async def waiting_step(replicate: Replicate) -> None:
    await asyncio.Event().wait()


class RecordedHeads:
    """Implements `HeadSink`."""

    def __init__(self) -> None:
        self.heads: list[Block] = []
        self.losses = 0

    def take(self, head: Block) -> None:
        self.heads.append(head)

    def stream_lost(self) -> None:
        self.losses += 1


class FailedWrite:
    """A call on which a chunk of output meets the end of the stream.

    grpc.aio then replaces the status of the scheduler, here before the reader sees it.
    """

    def __init__(self, call: Any) -> None:
        self._call = call
        self._replaced = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)

    async def write(self, message: pb.ConnectRequest) -> None:
        await self._call.write(message)
        if message.WhichOneof("message") == "log_chunk":
            await self._call.code()
            self._call._cython_call.set_internal_error("write failed")
            self._replaced.set()
            await self._call.read()

    async def read(self) -> Any:
        try:
            return await self._call.read()
        except grpc.aio.AioRpcError:
            await self._replaced.wait()
            return await self._call.read()


class Connected:
    """A session that runs against a peer."""

    def __init__(self, core: CorePeer, context: ReplicateContext) -> None:
        self.client = CoreClient(core.url)
        self.context = context
        self.health = Health()
        self.supervisor = Supervisor(
            context, dict.fromkeys(Stage, waiting_step), parse=unexpected, on_crash=unexpected
        )

        async def login() -> str:
            return await self.client.login(WALLET, WORKER, core.chain_id)

        self.heads = RecordedHeads()
        self.refusal = ""
        session = CoreSession(
            self.client,
            login,
            self.supervisor,
            context,
            MODEL,
            self.health,
            heads=self.heads,
            refusal=lambda: self.refusal,
        )
        self.session = session
        self.run = asyncio.create_task(session.run(""))

    async def close(self) -> None:
        self.run.cancel()
        await asyncio.wait({self.run})
        await self.supervisor.stop()
        await self.client.close()


@pytest.fixture
async def core() -> AsyncIterator[CorePeer]:
    core = CorePeer(WORKER, chain_id=134)
    await core.start()
    yield core
    await core.stop()


@pytest.fixture
async def session(core: CorePeer, tmp_path: Path, eventually: Eventually) -> AsyncIterator[Connected]:
    session = Connected(core, make_context(tmp_path))
    await eventually(lambda: core.connected)
    yield session
    await session.close()


async def test_hello_describes_the_host_and_heartbeats_follow(
    core: CorePeer, session: Connected, eventually: Eventually
) -> None:
    (hello,) = core.hellos
    assert (hello.model.name, hello.model.slots, list(hello.held)) == ("worker", 2, [])
    assert (await core.heartbeat(free_slots=2)).head_block == 7


async def test_unanswered_updates_are_resent_after_a_reconnect(
    core: CorePeer, session: Connected, eventually: Eventually
) -> None:
    core.silent = True
    session.context.outbox.add(Update(1, TASK_ID, ReplicateStatus.STARTING))
    await eventually(lambda: core.updates[TASK_ID])
    core.seen.clear()
    core.updates.clear()
    core.silent = False
    core.cut()
    await eventually(lambda: len(session.context.outbox) == 0)
    assert len(core.hellos) == 2
    assert core.statuses(TASK_ID) == ["STARTING"]


async def test_a_large_outbox_is_split_into_reports(
    core: CorePeer, session: Connected, eventually: Eventually
) -> None:
    updates = [Update(sequence, TASK_ID, ReplicateStatus.STARTING) for sequence in range(1, 601)]
    session.context.outbox.add(*updates)
    await eventually(lambda: len(core.updates[TASK_ID]) == 600)
    assert [update.sequence for update in core.updates[TASK_ID]] == list(range(1, 601))


async def test_commands_are_acknowledged(core: CorePeer, session: Connected, eventually: Eventually) -> None:
    sequence = core.command(TASK_ID, pb.ACTION_UPLOAD)
    await eventually(lambda: core.acks == [sequence])
    await core.status(TASK_ID, "RESULT_UPLOAD_FAILED")


async def test_dropped_replicates_are_discarded(
    core: CorePeer, session: Connected, eventually: Eventually
) -> None:
    session.supervisor.assign(assignment())
    core.dropped = [TASK_ID.upper().replace("0X", "0x")]
    core.cut()
    await eventually(lambda: len(core.hellos) == 2 and not session.supervisor.held())


async def test_an_unreadable_assignment_is_refused(
    core: CorePeer, session: Connected, eventually: Eventually
) -> None:
    core.assign(pb.Assignment(task=pb.TaskDescription(task_id=OTHER_TASK_ID)))
    await core.status(OTHER_TASK_ID, "START_FAILED")


async def test_an_assignment_with_a_deadline_beyond_the_calendar_is_refused_on_a_stream_that_continues(
    core: CorePeer, session: Connected, eventually: Eventually
) -> None:
    message = assignment_message()
    message.task.final_deadline.seconds = (1 << 63) - 1
    core.assign(message)
    update = await core.status(TASK_ID, "START_FAILED")
    assert update.details.error_message.startswith("final_deadline: ")
    assert (len(core.hellos), session.run.done()) == (1, False)


@pytest.mark.parametrize("period", [Duration(seconds=-10), Duration(seconds=1 << 62)], ids=str)
async def test_a_welcome_with_an_invalid_heartbeat_period_is_reported_and_retried(
    core: CorePeer, session: Connected, eventually: Eventually, period: Duration
) -> None:
    core.heartbeat_period = period
    core.cut()
    await eventually(lambda: "heartbeat_period: " in str(session.health.snapshot()))
    core.heartbeat_period = Duration(nanos=200_000_000)
    await eventually(lambda: session.health.snapshot()["components"]["core"]["status"] == "UP")
    await core.heartbeat(free_slots=2)


async def test_a_shutdown_with_an_invalid_delay_reconnects(
    core: CorePeer, session: Connected, eventually: Eventually
) -> None:
    core.send(shutdown=pb.Shutdown(reason="STOPPING", retry_after=Duration(seconds=1 << 62)))
    await eventually(lambda: len(core.hellos) == 2)


async def test_a_draining_worker_offers_no_slots(
    core: CorePeer, session: Connected, eventually: Eventually
) -> None:
    core.send(drain=pb.Drain())
    await core.heartbeat(free_slots=0)


async def test_the_result_proxy_follows_the_schedulers_configuration(
    core: CorePeer, session: Connected, eventually: Eventually
) -> None:
    core.configuration.result_proxy_url = "http://new.test:13200"
    core.cut()
    await eventually(lambda: session.context.result_proxy_url == "http://new.test:13200")


async def test_a_changed_address_of_the_result_proxy_is_used_without_a_reconnection(
    core: CorePeer, session: Connected, eventually: Eventually
) -> None:
    core.configuration.result_proxy_url = "http://new.test:13200"
    core.send(configuration_change=pb.ConfigurationChange(configuration=core.configuration))
    await eventually(lambda: session.context.result_proxy_url == "http://new.test:13200")
    assert len(core.hellos) == 1


async def test_a_shutdown_with_a_delay_reconnects(
    core: CorePeer, session: Connected, eventually: Eventually
) -> None:
    core.send(shutdown=pb.Shutdown(reason="STOPPING", retry_after=Duration(nanos=10_000_000)))
    await eventually(lambda: len(core.hellos) == 2)


async def test_a_shutdown_without_a_delay_ends_the_session(core: CorePeer, session: Connected) -> None:
    core.send(shutdown=pb.Shutdown(reason="REPLACED", message="another stream was opened"))
    with pytest.raises(CoreRefused, match="REPLACED: another stream was opened"):
        await asyncio.wait_for(session.run, PATIENCE_S)


async def test_heads_of_the_scheduler_are_passed_on(
    core: CorePeer, session: Connected, eventually: Eventually
) -> None:
    head = Block(7, b"\x07" * 32, b"\x06" * 32, 1_700_000_000)
    for hash_ in ("not hexadecimal", to_hex(head.hash)):
        parent = to_hex(head.parent_hash)
        core.send(head=pb.Head(number=7, hash=hash_, parent_hash=parent, timestamp=head.timestamp))
    await eventually(lambda: session.heads.heads == [head])
    core.cut()
    await eventually(lambda: session.heads.losses == 1)


async def test_a_worker_that_refuses_work_says_why_and_offers_no_slot(
    core: CorePeer, session: Connected, eventually: Eventually
) -> None:
    await core.heartbeat(free_slots=2)
    session.refusal = "the wallet is empty"
    session.session.availability_changed()
    await core.heartbeat(free_slots=0)
    await eventually(lambda: core.refusals == ["the wallet is empty"])
    core.cut()
    await eventually(lambda: len(core.hellos) == 2)
    assert core.hellos[-1].availability.refusal == "the wallet is empty"
    session.refusal = ""
    session.session.availability_changed()
    await core.heartbeat(free_slots=2)
    await eventually(lambda: core.refusals[-1] == "")


async def test_a_farewell_follows_the_updates_and_ends_the_session(
    core: CorePeer, session: Connected, eventually: Eventually
) -> None:
    core.silent = True
    session.context.outbox.add(Update(1, TASK_ID, ReplicateStatus.STARTING))
    assert await session.session.leave(90.5, 10)
    assert core.statuses(TASK_ID) == ["STARTING"]
    assert [leave.return_within.ToNanoseconds() for leave in core.leaves] == [90_500_000_000]
    await asyncio.wait_for(session.run, 10)
    assert len(core.hellos) == 1


async def test_a_farewell_to_an_unreachable_scheduler_fails(core: CorePeer, session: Connected) -> None:
    await core.stop()
    assert not await session.session.leave(0, 0.2)
    await core.start()


async def test_the_schedulers_reason_is_named_when_a_write_meets_the_end_of_the_stream(
    core: CorePeer, session: Connected, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    problems: list[str] = []
    session.health.on_change(lambda: problems.append(str(session.health.snapshot())))
    stream = session.client.stream
    monkeypatch.setattr(session.client, "stream", lambda token: FailedWrite(stream(token)))
    core.cut()
    await eventually(lambda: len(core.hellos) == 2)
    core.foreign = True

    async def follow(sink: OutputSink) -> None:
        sink.add(OutputStream.STDOUT, b"output")

    async with session.context.live_output.followed(TASK_ID, follow):
        await eventually(lambda: len(core.hellos) == 3)
    assert any("FOREIGN_REPLICATE: this worker holds no replicate" in problem for problem in problems)
    assert not any("Internal error" in problem for problem in problems)
