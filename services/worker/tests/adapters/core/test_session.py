"""The stream in this process: Welcome, heartbeats, resends, drain, reconnects, refusals."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from google.protobuf.duration_pb2 import Duration
from workerpool_kit.health import Health
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.statuses import ReplicateStatus
from workerpool_protocol.core.v1 import worker_service_pb2 as pb
from workerpool_worker.adapters.core.client import CoreClient
from workerpool_worker.adapters.core.session import CoreSession, HostModel
from workerpool_worker.app.replicate import Replicate
from workerpool_worker.app.replicate_context import ReplicateContext
from workerpool_worker.app.supervisor import Supervisor
from workerpool_worker.domain.stages import Stage
from workerpool_worker.domain.updates import Update
from workerpool_worker.errors import CoreRefused

from services.worker.tests.doubles.core_peer import CorePeer
from services.worker.tests.harness.builders import OTHER_TASK_ID, TASK_ID, WORKER, assignment
from services.worker.tests.harness.context import make_context, unexpected
from services.worker.tests.harness.waiting import Eventually

WALLET = Wallet.create()
MODEL = HostModel("worker", "1.0", "Linux", "x86_64", slots=2, memory_bytes=1 << 30, gpus=0)


async def waiting_step(replicate: Replicate) -> None:
    await asyncio.Event().wait()


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

        session = CoreSession(self.client, login, self.supervisor, context, MODEL, self.health)
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
    await eventually(lambda: core.heartbeats)
    assert (core.heartbeats[0].free_slots, core.heartbeats[0].head_block) == (2, 7)


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


async def test_a_draining_worker_offers_no_slots(
    core: CorePeer, session: Connected, eventually: Eventually
) -> None:
    core.send(drain=pb.Drain())
    await eventually(lambda: core.heartbeats and core.heartbeats[-1].free_slots == 0)


async def test_the_result_proxy_follows_the_schedulers_configuration(
    core: CorePeer, session: Connected, eventually: Eventually
) -> None:
    core.configuration.result_proxy_url = "http://new.test:13200"
    core.cut()
    await eventually(lambda: session.context.result_proxy_url == "http://new.test:13200")


async def test_a_shutdown_with_a_delay_reconnects(
    core: CorePeer, session: Connected, eventually: Eventually
) -> None:
    core.send(shutdown=pb.Shutdown(reason="STOPPING", retry_after=Duration(nanos=10_000_000)))
    await eventually(lambda: len(core.hellos) == 2)


async def test_a_shutdown_without_a_delay_ends_the_session(core: CorePeer, session: Connected) -> None:
    core.send(shutdown=pb.Shutdown(reason="REPLACED", message="another stream was opened"))
    with pytest.raises(CoreRefused, match="REPLACED: another stream was opened"):
        await asyncio.wait_for(session.run, 10)
