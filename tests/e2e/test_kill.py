"""A process is killed (SIGKILL) while tasks run: the devnet restarts it and every task completes."""

import random

import pytest
from patience import PATIENCE_S
from workerpool_devnet.demo.follow import Progress
from workerpool_devnet.devnet import Devnet
from workerpool_poco.protocol.statuses import ChainTaskStatus
from workerpool_protocol.core.v1.statuses_pb2 import ReplicateStatus, TaskStatus

from e2e.requester import Requester

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

EARLY, MIDDLE, LATE = (
    "TASK_STATUS_INITIALIZED",
    "TASK_STATUS_CONSENSUS_REACHED",
    "TASK_STATUS_RESULT_UPLOADING",
)
COMPUTING, CONTRIBUTING, REVEALED = (
    "REPLICATE_STATUS_COMPUTING",
    "REPLICATE_STATUS_CONTRIBUTING",
    "REPLICATE_STATUS_REVEALED",
)


def reached(progress: Progress, moment: str) -> bool:
    """Return whether a task or replicate is or was in this status."""
    for task in progress.tasks.values():
        if any(TaskStatus.Name(change.status) == moment for change in task.history):
            return True
        for replicate in task.replicates:
            if any(ReplicateStatus.Name(change.status) == moment for change in replicate.history):
                return True
    return False


CASES = [
    *[
        (service, moment)
        for service in ("core", "chain_adapter", "result_proxy")
        for moment in (EARLY, MIDDLE, LATE)
    ],
    *[("worker-1", moment) for moment in (COMPUTING, CONTRIBUTING, REVEALED)],
]
QUICK = [("core", MIDDLE), ("chain_adapter", EARLY), ("result_proxy", LATE), ("worker-1", COMPUTING)]
"""One moment for each process; `make test-full` runs the others."""
SOAK_CYCLES = 200
SEED = 9


@pytest.mark.parametrize(
    ("victim", "moment"),
    [pytest.param(*case, marks=[] if case in QUICK else pytest.mark.full) for case in CASES],
)
async def test_every_task_completes_when_a_process_is_killed(
    net: Devnet, requester: Requester, victim: str, moment: str
) -> None:
    await complete_tasks_despite_a_kill(net, requester, victim, moment)


@pytest.mark.soak
async def test_every_task_completes_over_many_kills_of_one_pool(net: Devnet, requester: Requester) -> None:
    chosen = random.Random(SEED)
    for cycle in range(SOAK_CYCLES):
        victim, moment = chosen.choice(CASES)
        print(f"cycle {cycle}: {victim} killed at {moment}")
        await complete_tasks_despite_a_kill(net, requester, victim, moment)


async def complete_tasks_despite_a_kill(net: Devnet, requester: Requester, victim: str, moment: str) -> None:
    """Buy tasks, kill a process once a status is reached, and check that every task completes."""
    tasks = await requester.buy("one", volume=3) + await requester.buy("all", trust=5)
    killed: list[int] = []

    def kill_once(progress: Progress) -> None:
        if not killed and reached(progress, moment):
            killed.append(net.services[victim].pid)
            net.services[victim].kill()

    await requester.follow(tasks, kill_once)

    assert killed, f"no task reached {moment}"
    for task in tasks:
        record = await requester.on_chain(task)
        assert record.task.status is ChainTaskStatus.COMPLETED, record
    await net.services[victim].wait_restarted(killed[0], timeout=PATIENCE_S)
    await net.services[victim].wait_healthy(timeout=PATIENCE_S)
