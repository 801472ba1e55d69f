"""A replicate that still computes when its task is over on chain gets its command in the same event, without a poll.

Each way in which a task ends must free the slots of its replicates.
"""

from collections.abc import Callable

import pytest
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus as R

from services.core.tests.doubles.scripted_pool import HASH_A, LINK, ScriptedPool

COMPUTING = (
    R.STARTING,
    R.STARTED,
    R.APP_DOWNLOADING,
    R.APP_DOWNLOADED,
    R.DATA_DOWNLOADING,
    R.DATA_DOWNLOADED,
)
End = Callable[[ScriptedPool, TaskId], None]


def finalized(pool: ScriptedPool, task: TaskId) -> None:
    pool.mine(pool.log("FINALIZE", task, value="0x" + LINK.encode().hex()))


def claimed(pool: ScriptedPool, task: TaskId) -> None:
    pool.mine(pool.log("CLAIMED", task))


def consensus_of_others(pool: ScriptedPool, task: TaskId) -> None:
    pool.connect(2)
    pool.live(301, 1, 2)
    pool.compute(2, task)
    pool.contribute(2, task, HASH_A, consensus=True)


def contribution_deadline(pool: ScriptedPool, task: TaskId) -> None:
    pool.live(pool.task(task).terms.contribution_deadline - pool.now, 1)


def read_as_completed(pool: ScriptedPool, task: TaskId) -> None:
    pool.read(task, "COMPLETED")


def read_as_failed(pool: ScriptedPool, task: TaskId) -> None:
    pool.read(task, "FAILED")


@pytest.mark.parametrize(
    "end",
    [
        finalized,
        claimed,
        consensus_of_others,
        contribution_deadline,
        read_as_completed,
        read_as_failed,
    ],
)
def test_post_compute_long_a_slot_is_free_at_once_when_the_task_is_over_on_chain(
    pool: ScriptedPool, end: End
) -> None:
    pool.connect(1, slots=1)
    task = pool.ready(contribution_deadline=pool.now + 400)
    pool.report(1, task, *COMPUTING, R.COMPUTING)
    end(pool, task)
    assert pool.commands(1)[-1:] == ["ABORT"]
    command = pool.sent(d.SendCommand, wallet="0xWorker1")[-1]
    assert command in pool.last or end is contribution_deadline
    (answer,) = pool.report(1, task, R.ABORTED)
    assert answer.outcome is d.UpdateOutcome.ACCEPTED
    if end is not consensus_of_others:
        assert pool.assigned(pool.ready()) == ["0xWorker1"], "the slot is free"


def test_a_contributed_replicate_is_not_aborted_by_the_contribution_deadline(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready(trust=3)
    pool.compute(1, task)
    pool.report(1, task, R.CONTRIBUTING)
    pool.contribute(1, task)
    deadline = pool.task(task).terms.contribution_deadline
    pool.live(deadline - pool.now, 1)
    assert pool.commands(1) == []
    assert not pool.task(task).ended


def test_a_cut_stream_gets_the_command_when_it_is_open_again(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready()
    pool.report(1, task, *COMPUTING, R.COMPUTING)
    pool.cut(1)
    finalized(pool, task)
    pool.effects.clear()
    pool.connect(1, held=(e.HeldReplicate(task, R.COMPUTING, False, 0),))
    assert pool.commands(1) == ["ABORT"]
