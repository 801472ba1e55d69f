"""The scheduler is killed (SIGKILL) in every status of the standard path: it restarts and the task completes."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from patience import PATIENCE_S
from workerpool_devnet.demo.follow import Progress
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.options import DevnetOptions
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import TaskStatus as T

from e2e import history
from e2e.requester import Requester

pytestmark = [pytest.mark.e2e, pytest.mark.full, pytest.mark.asyncio(loop_scope="module")]

STANDARD_PATH = (
    T.RECEIVED,
    T.INITIALIZING,
    T.INITIALIZED,
    T.RUNNING,
    T.CONSENSUS_REACHED,
    T.AT_LEAST_ONE_REVEALED,
    T.RESULT_UPLOADING,
    T.RESULT_UPLOADED,
    T.FINALIZING,
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def net() -> AsyncIterator[Devnet]:
    """Run a pool with two workers, both of which a task of trust 3 needs; killed services restart."""
    async with Devnet(DevnetOptions(workers=2, trust=3, restart=True)) as running:
        yield running


@pytest.mark.parametrize("status", STANDARD_PATH, ids=lambda status: status.name)
async def test_a_task_completes_when_core_is_killed_in_any_status(
    net: Devnet, requester: Requester, status: T
) -> None:
    (task,) = await requester.buy("one", trust=3)
    killed: list[int] = []

    def kill_once(progress: Progress) -> None:
        if not killed and status in history.of_task(progress.tasks[task]):
            killed.append(net.services["core"].pid)
            net.services["core"].kill()

    progress = await requester.follow([task], kill_once)

    assert killed, f"the task did not reach {status.name}"
    assert await standard_task(requester, task, progress)
    # A change is sent within a tenth of a second, in which the task may end.
    await net.services["core"].wait_restarted(killed[0], timeout=PATIENCE_S)
    await net.services["core"].wait_healthy(timeout=PATIENCE_S)


async def test_a_task_completes_when_core_is_killed_in_each_of_its_statuses(
    net: Devnet, requester: Requester
) -> None:
    (task,) = await requester.buy("one", trust=3)
    killed_in: list[T] = []

    def kill_once_in_each(progress: Progress) -> None:
        status = history.of_task(progress.tasks[task])[-1]
        if status not in killed_in and status is not T.COMPLETED:
            killed_in.append(status)
            net.services["core"].kill()

    progress = await requester.follow([task], kill_once_in_each)

    # Core reads the missed events of the chain in one batch, so a quick task skips statuses.
    assert len(killed_in) >= 2, killed_in
    assert await standard_task(requester, task, progress)


async def standard_task(requester: Requester, task: TaskId, progress: Progress) -> bool:
    """Check that the task took the standard path without repeated transactions; return whether it completed."""
    walked = history.of_task(progress.tasks[task])
    record = await requester.on_chain(task)
    assert walked == [*STANDARD_PATH, T.FINALIZED, T.COMPLETED]
    assert record.counts() == "1 initialize, 2 contribute, 2 reveal, 1 finalize"
    return record.completed
