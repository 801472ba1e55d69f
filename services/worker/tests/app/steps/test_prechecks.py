"""The pre-checks at a node that lags behind the one that told of the task."""

from types import SimpleNamespace

import pytest
import structlog
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.model import Account, ChainTask
from workerpool_poco.protocol.statuses import ChainTaskStatus, ReplicateStatusCause
from workerpool_worker.app.steps.prechecks import check_may_contribute
from workerpool_worker.domain.record import ReplicateRecord
from workerpool_worker.domain.stages import Stage
from workerpool_worker.errors import InitializationOrphaned, StepFailed

TASK_ID = TaskId("0x" + "01" * 32)
NEVER = 10**10


class LaggingChain:
    """A chain of which the node that is asked for the task knows only some blocks later."""

    def __init__(self, blocks):
        self.head = 7
        self._initialization_is_known_at = self.head + blocks

    async def wait_block(self, number, limit_s):
        self.head = max(self.head, number)
        return True

    async def account(self):
        return Account(100, 0)

    async def task(self, task_id):
        known = self.head >= self._initialization_is_known_at
        status = ChainTaskStatus.ACTIVE if known else ChainTaskStatus.UNSET
        return ChainTask(*(task_id, status, task_id, 0, 1, NEVER, 0, NEVER, b"", 0, 0, (), b"", b"", 0, b""))


def run_at(stage, chain):
    return SimpleNamespace(
        record=ReplicateRecord(TASK_ID, stage=stage),
        task=SimpleNamespace(task_id=TASK_ID, worker_stake=1),
        context=SimpleNamespace(chain=chain, wallet_address="0x01", clock=SimpleNamespace(now=lambda: 1.0)),
        log=structlog.get_logger(),
    )


async def test_a_node_that_is_a_few_blocks_behind_is_waited_for_at_the_start():
    await check_may_contribute(run_at(Stage.START, LaggingChain(3)))


async def test_a_task_that_is_never_initialized_is_not_started():
    with pytest.raises(StepFailed) as failed:
        await check_may_contribute(run_at(Stage.START, LaggingChain(NEVER)))
    assert failed.value.cause is ReplicateStatusCause.TASK_NOT_ACTIVE


async def test_a_task_that_a_reorganisation_took_back_is_waited_for_by_its_step():
    with pytest.raises(InitializationOrphaned):
        await check_may_contribute(run_at(Stage.COMPUTE, LaggingChain(3)))
