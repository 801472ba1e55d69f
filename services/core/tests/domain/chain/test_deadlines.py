"""Deadlines, reopening and claims: acceptance scenarios 38 and 39 of core spec §13."""

from collections.abc import Callable
from typing import Any

import pytest
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.chain import deadlines
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.explanations.tasks import explain_task
from workerpool_core.domain.model import Task
from workerpool_poco.protocol.causes import Side
from workerpool_poco.protocol.deadlines import CLOCK_MARGIN_S
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus as R
from workerpool_poco.protocol.statuses import ReplicateStatusCause as C
from workerpool_poco.protocol.statuses import TaskStatus

from services.core.tests.doubles.scripted_pool import ScriptedPool

T = 300
HASH_A = "0x" + "aa" * 32
K = e.TransactionKind


def test_s38_after_the_contribution_deadline_the_chain_is_read_and_the_slots_are_freed(
    pool: ScriptedPool,
) -> None:
    pool.connect(1)
    task = pool.ready()
    pool.report(1, task, R.STARTING)
    pool.live(7 * T, 1)
    assert pool.status(task) == "INITIALIZED"
    assert pool.sent(d.ReadTask, task_id=task)
    pool.read(task, "ACTIVE")
    assert pool.history(task)[-2:] == ["CONTRIBUTION_TIMEOUT", "FAILED"]
    assert pool.commands(1) == ["ABORT"]
    pool.report(1, task, R.ABORTED)
    assert pool.scheduler.workers["0xWorker1"].computing == set()


def initializing(pool: ScriptedPool) -> TaskId:
    (task,) = pool.deal()
    return task


def running(pool: ScriptedPool) -> TaskId:
    task = pool.to_computed(1)
    pool.report(1, task, R.CONTRIBUTING)
    return task


def revealed_without_uploader(pool: ScriptedPool) -> TaskId:
    """Return a task whose only revealed worker is lost before the upload is requested."""
    task = pool.to_consensus(1, 2, trust=3)
    pool.cut(1)
    pool.live(61, 2)
    pool.reveal(1, task)
    return task


def uploaded(pool: ScriptedPool) -> TaskId:
    task = pool.to_consensus(1, 2, trust=3)
    pool.reveal(1, task)
    pool.upload(1, task)
    return task


STATES = {
    "INITIALIZING": initializing,
    "INITIALIZED": lambda pool: pool.ready(),
    "RUNNING": running,
    "CONSENSUS_REACHED": lambda pool: pool.to_consensus(1),
    "REOPENING": lambda pool: unrevealed(pool),
    "AT_LEAST_ONE_REVEALED": revealed_without_uploader,
    "RESULT_UPLOADING": lambda pool: pool.to_upload(1),
    "RESULT_UPLOADED": uploaded,
    "FINALIZING": lambda pool: pool.to_finalizing(1),
}


@pytest.mark.parametrize("status", STATES)
def test_s38_the_final_deadline_fails_and_claims_a_task_with_any_status(
    pool: ScriptedPool, status: Any
) -> None:
    task = STATES[status](pool)  # type: ignore[no-untyped-call]
    assert pool.status(task) == status
    pool.now = pool.task(task).terms.final_deadline
    before = status in ("INITIALIZING", "INITIALIZED", "RUNNING")
    chain = None if status == "INITIALIZING" else "ACTIVE" if before else "REVEALING"
    pool.read(task, chain, value=HASH_A)
    assert pool.history(task)[-2:] == ["FINAL_DEADLINE_REACHED", "FAILED"]
    pool.wait(1)
    assert pool.sent(d.RequestTransaction, kind=K.CLAIM, task_id=task)


@pytest.mark.parametrize("end", ["COMPLETED", "FAILED"])
def test_s38_the_final_deadline_does_not_change_ended_tasks(pool: ScriptedPool, end: Any) -> None:
    task = pool.to_finalizing(1)
    kind = {"COMPLETED": "FINALIZE", "FAILED": "CLAIMED"}[end]
    pool.mine(pool.log(kind, task, value="0x"))
    history = pool.history(task)
    pool.live(11 * T, 1)
    assert (pool.status(task), pool.history(task)) == (end, history)
    assert not pool.sent(d.RequestTransaction, kind=K.CLAIM)


def test_s39_a_winner_that_does_not_reveal_in_time_fails_and_the_task_finalizes(pool: ScriptedPool) -> None:
    task = pool.to_consensus(1, 2, trust=3)
    pool.reveal(1, task)
    pool.upload(1, task)
    pool.live(2 * T + 1, 1, 2)
    contributions = {1: ("PROVED", HASH_A), 2: ("CONTRIBUTED", HASH_A)}
    pool.read(task, "REVEALING", contributions, winners=2, reveals=1, value=HASH_A)
    assert pool.statuses(2, task)[-1] == "FAILED"
    assert pool.replicate(2, task).history[-1].cause is C.REVEAL_TIMEOUT
    assert pool.status(task) == "FINALIZING"


def unrevealed(pool: ScriptedPool) -> TaskId:
    """Return a task whose only winner missed the reveal deadline, as a read of the chain shows."""
    task = pool.to_consensus(1)
    pool.connect(2)
    pool.live(2 * T + 1, 1, 2)
    pool.read(task, "REVEALING", {1: ("CONTRIBUTED", HASH_A)}, winners=1, value=HASH_A)
    return task


def test_a_task_without_reveals_is_reopened_for_other_workers(pool: ScriptedPool) -> None:
    task = unrevealed(pool)
    assert pool.status(task) == "REOPENING"
    assert pool.sent(d.RequestTransaction, kind=K.REOPEN, task_id=task)
    pool.mine(pool.log("REOPEN", task))
    assert pool.history(task)[-3:] == ["REOPENING", "REOPENED", "INITIALIZED"]
    assert pool.statuses(1, task)[-1] == "FAILED"
    assert pool.assigned(task) == ["0xWorker1", "0xWorker2"]
    pool.compute(2, task)
    pool.contribute(2, task, HASH_A, consensus=True)
    assert pool.commands(2) == ["REVEAL"]
    assert pool.status(task) == "CONSENSUS_REACHED"


def test_a_refused_reopening_fails_the_task(pool: ScriptedPool) -> None:
    task = unrevealed(pool)
    chain = {"contributions": {1: ("CONTRIBUTED", HASH_A)}, "winners": 1, "value": HASH_A}
    pool.refuse(task, K.REOPEN, "REVEALING", **chain)
    assert pool.history(task)[-2:] == ["REOPEN_FAILED", "FAILED"]


def test_a_task_that_failed_is_claimed_at_its_final_deadline_even_after_a_restart(pool: ScriptedPool) -> None:
    task = pool.ready()
    pool.wait(7 * T + 1)
    pool.read(task, "ACTIVE")
    assert pool.history(task)[-1] == "FAILED"
    pool.restart()
    assert not pool.sent(d.RequestTransaction, kind=K.CLAIM)
    pool.wait(3 * T + CLOCK_MARGIN_S)
    assert pool.sent(d.RequestTransaction, kind=K.CLAIM, task_id=task)
    pool.mine(pool.log("CLAIMED", task))
    pool.bury()
    assert task not in pool.scheduler.tasks
    assert pool.ledger.tasks[task].claim_due is False


def test_an_unanswered_claim_is_requested_again(pool: ScriptedPool) -> None:
    task = pool.ready()
    pool.wait(10 * T + 1)
    pool.read(task, "ACTIVE")
    pool.wait(60)
    assert len(pool.sent(d.RequestTransaction, kind=K.CLAIM)) > 1
    pool.handle(e.TransactionAnswered(task, K.CLAIM, True, pool.block + 1))
    pool.effects.clear()
    pool.bury()
    assert not pool.sent(d.RequestTransaction, kind=K.CLAIM)
    assert task not in pool.scheduler.tasks


def test_trap_the_contribution_timeout_never_fails_a_task_with_consensus_on_chain(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready()
    pool.compute(1, task)
    pool.live(7 * T + 1, 1)
    pool.read(task, "REVEALING", {1: ("CONTRIBUTED", HASH_A)}, winners=1, value=HASH_A)
    assert pool.status(task) == "CONSENSUS_REACHED"


def test_trap_a_task_that_timed_out_does_not_run_again(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready()
    pool.live(7 * T + 1, 1)
    pool.read(task, "ACTIVE")
    pool.report(1, task, R.STARTING, R.STARTED)
    assert pool.status(task) == "FAILED"


def read_of_an_earlier_block(
    pool: ScriptedPool, task: TaskId, status: Any = "ACTIVE", contributions: Any = None, **fields: Any
) -> Any:
    """Answer a read from a block with an earlier timestamp: a later block may still follow."""
    found = {f"0xWorker{n}": pool.contribution(*c) for n, c in (contributions or {}).items()}
    return pool.answer_reads(
        e.TaskRead(task, pool.block, pool.chain_task(task, status, **fields), found, pool.now)
    )


def mine_late(pool: ScriptedPool, seconds: Any, *logs: Any) -> Any:
    """Follow a block some seconds after its timestamp."""
    pool.now -= seconds
    pool.mine(*logs)
    pool.now += seconds


def test_a_contribution_in_a_block_before_the_deadline_counts_when_it_is_followed_later(
    pool: ScriptedPool,
) -> None:
    pool.connect(1)
    task = pool.ready()
    pool.compute(1, task)
    pool.live(7 * T + 1, 1)
    read_of_an_earlier_block(pool, task)
    assert pool.status(task) == "RUNNING"
    mine_late(pool, 2, pool.log("CONTRIBUTE", task, 1, HASH_A), pool.log("CONSENSUS", task, value=HASH_A))
    assert pool.status(task) == "CONSENSUS_REACHED"


def test_a_reveal_in_a_block_before_the_deadline_counts_when_it_is_followed_later(pool: ScriptedPool) -> None:
    task = pool.to_consensus(1)
    pool.live(2 * T + 1, 1)
    winner = {1: ("CONTRIBUTED", HASH_A)}
    read_of_an_earlier_block(pool, task, "REVEALING", winner, winners=1, value=HASH_A)
    assert pool.status(task) == "CONSENSUS_REACHED"
    mine_late(pool, 2, pool.log("REVEAL", task, 1))
    assert pool.status(task) == "RESULT_UPLOADING"


def test_a_finalization_in_a_block_before_the_deadline_counts_when_it_is_followed_later(
    pool: ScriptedPool,
) -> None:
    task = pool.to_finalizing(1)
    pool.live(10 * T, 1)
    winner = {1: ("PROVED", HASH_A)}
    read_of_an_earlier_block(pool, task, "REVEALING", winner, winners=1, reveals=1, value=HASH_A)
    assert pool.status(task) == "FINALIZING"
    mine_late(pool, 2, pool.log("FINALIZE", task, value="0x"))
    assert pool.status(task) == "COMPLETED"


def test_without_a_block_after_the_deadline_the_chain_is_read_again(pool: ScriptedPool) -> None:
    task = pool.ready()
    pool.wait(7 * T + 1)
    read_of_an_earlier_block(pool, task)
    pool.effects.clear()
    pool.wait(pool.policy.retry_s)
    assert pool.sent(d.ReadTask, task_id=task)
    pool.read(task, "ACTIVE")
    assert pool.history(task)[-2:] == ["CONTRIBUTION_TIMEOUT", "FAILED"]


def test_a_refused_finalization_with_missing_reveals_is_retried_until_a_block_after_their_deadline(
    pool: ScriptedPool,
) -> None:
    task = pool.to_consensus(1, 2, trust=3)
    pool.reveal(1, task)
    pool.upload(1, task)
    pool.live(2 * T + 1, 1, 2)
    assert pool.status(task) == "FINALIZING"
    contributions = {1: ("PROVED", HASH_A), 2: ("CONTRIBUTED", HASH_A)}
    chain = {"contributions": contributions, "winners": 2, "reveals": 1, "value": HASH_A}
    for _ in range(3):
        pool.handle(e.TransactionAnswered(task, K.FINALIZE, False, reason="REVEALS_MISSING"))
        read_of_an_earlier_block(pool, task, "REVEALING", **chain)
        pool.wait(pool.policy.retry_s)
    assert pool.status(task) == "FINALIZING"
    pool.refuse(task, K.FINALIZE, "REVEALING", **chain)
    assert pool.history(task)[-2:] == ["FINALIZE_FAILED", "FAILED"]


def test_no_deadline_is_missed_before_a_later_block(
    context: EventContext, add_task: Callable[..., Task]
) -> None:
    task = add_task()
    context.now = task.terms.contribution_deadline
    for chain_time, status in (
        (task.terms.contribution_deadline - 1, TaskStatus.RUNNING),
        (task.terms.contribution_deadline, TaskStatus.FAILED),
    ):
        context.state.chain_time = chain_time
        deadlines.judge(context, task, None, context.now)
        assert task.status is status


def test_deadlines_pass_while_no_block_comes(context: EventContext, add_task: Callable[..., Task]) -> None:
    """A sequencer without transactions makes no block for minutes."""
    task = add_task()
    deadline = task.terms.contribution_deadline
    context.state.chain_time = deadline - 600
    context.now = deadline + 60
    for requested_at, status in (
        (deadline + CLOCK_MARGIN_S - 1, TaskStatus.RUNNING),
        (deadline + CLOCK_MARGIN_S, TaskStatus.FAILED),
    ):
        deadlines.judge(context, task, None, requested_at)
        assert task.status is status, requested_at


def test_a_task_that_no_worker_took_keeps_the_reason(pool: ScriptedPool) -> None:
    """Nothing else tells it later: only the present workers do."""
    task = pool.ready()
    pool.wait(7 * T + CLOCK_MARGIN_S)
    pool.read(task)
    stored = pool.ledger.tasks[task]
    assert pool.history(task)[-2:] == ["CONTRIBUTION_TIMEOUT", "FAILED"]
    assert stored.error_cause is C.CONTRIBUTION_TIMEOUT
    assert stored.error_message == (
        "no worker took the task until the contribution deadline: No worker is connected."
    )
    found = explain_task(stored)[-1]
    assert found is not None
    assert found.side is Side.POOL


def test_a_task_that_a_worker_took_is_explained_by_its_replicates(pool: ScriptedPool) -> None:
    task = pool.to_started(1)
    pool.live(7 * T + CLOCK_MARGIN_S, 1)
    pool.read(task)
    assert pool.history(task)[-2:] == ["CONTRIBUTION_TIMEOUT", "FAILED"]
    assert pool.ledger.tasks[task].error_cause is None


@pytest.mark.parametrize(
    ("kind", "state", "status", "words"),
    [
        (K.INITIALIZE, "INITIALIZING", None, "the initialization of the task was refused: reverted"),
        (K.REOPEN, "REOPENING", "REVEALING", "the reopening of the task was refused: reverted"),
    ],
)
def test_a_task_whose_transaction_was_refused_keeps_the_reason(
    pool: ScriptedPool, kind: Any, state: str, status: Any, words: str
) -> None:
    task = STATES[state](pool)  # type: ignore[no-untyped-call]
    chain = {"winners": 1, "value": HASH_A, "contributions": {1: ("CONTRIBUTED", HASH_A)}} if status else {}
    pool.refuse(task, kind, status, **chain)
    stored = pool.ledger.tasks[task]
    assert (stored.status.value, stored.error_message, stored.error_cause) == ("FAILED", words, C.UNKNOWN)
