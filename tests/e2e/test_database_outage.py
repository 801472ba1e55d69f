"""The database is killed and restarted while tasks run: no task is lost and no service restarts."""

import asyncio

import pytest
from patience import PATIENCE_S
from workerpool_devnet.demo.follow import Progress
from workerpool_devnet.devnet import Devnet
from workerpool_poco.protocol.statuses import ChainTaskStatus
from workerpool_protocol.core.v1.statuses_pb2 import TaskStatus

from e2e.requester import Requester

pytestmark = [pytest.mark.e2e, pytest.mark.full, pytest.mark.asyncio(loop_scope="module")]

_OUTAGE_S = 5.0


@pytest.mark.parametrize("moment", ["TASK_STATUS_INITIALIZED", "TASK_STATUS_CONSENSUS_REACHED"])
async def test_every_task_completes_when_the_database_is_killed_and_returns(
    net: Devnet, requester: Requester, moment: str
) -> None:
    if net.database.process is None:
        pytest.skip("MONGO_URI names a server that does not belong to the test")
    tasks = await requester.buy("one", volume=3) + await requester.buy("all", trust=5)
    pids = {name: net.services[name].pid for name in ("core", "chain_adapter", "result_proxy")}
    outages: list[asyncio.Task[None]] = []

    async def outage() -> None:
        net.database.kill()
        await asyncio.sleep(_OUTAGE_S)
        net.database.revive()
        await asyncio.to_thread(net.database.wait_ready)

    def begin_once(progress: Progress) -> None:
        seen = {TaskStatus.Name(change.status) for task in progress.tasks.values() for change in task.history}
        if not outages and moment in seen:
            outages.append(asyncio.create_task(outage()))

    await requester.follow(tasks, begin_once)

    (ended,) = outages
    await ended
    for task in tasks:
        record = await requester.on_chain(task)
        assert record.task.status is ChainTaskStatus.COMPLETED, record
    for name, pid in pids.items():
        await net.services[name].wait_healthy(timeout=PATIENCE_S)
        assert net.services[name].pid == pid, f"{name} did not wait for the database"
