"""Deadlines that pass, reopening and claims: acceptance scenarios 38 and 39 of core spec §13."""

from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_poco.statuses import ReplicateStatus as R
from workerpool_poco.statuses import ReplicateStatusCause as C

T = 300
HASH_A = "0x" + "aa" * 32
K = e.TransactionKind


def test_s38_past_the_contribution_deadline_the_chain_is_asked_then_workers_are_freed(pool):
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
    assert pool.scheduler.busy("0xWorker1") == frozenset()


def test_s38_the_final_deadline_fails_and_claims_any_live_task(pool):
    task = pool.to_consensus(1)
    pool.reveal(1, task)
    pool.live(10 * T, 1)
    pool.read(task, "REVEALING", {1: ("PROVED", HASH_A)}, winners=1, reveals=1, value=HASH_A)
    assert pool.history(task)[-2:] == ["FINAL_DEADLINE_REACHED", "FAILED"]
    pool.wait(1)
    assert pool.sent(d.RequestTransaction, kind=K.CLAIM, task_id=task)


def test_s38_ended_tasks_are_left_alone(pool):
    task = pool.to_finalizing(1)
    pool.mine(pool.log("FINALIZE", task, value="0x"))
    pool.live(11 * T, 1)
    assert pool.status(task) == "COMPLETED"
    assert not pool.sent(d.RequestTransaction, kind=K.CLAIM)


def test_s39_who_did_not_reveal_in_time_fails_and_the_task_still_finalizes(pool):
    task = pool.to_consensus(1, 2, trust=3)
    pool.reveal(1, task)
    pool.upload(1, task)
    pool.live(2 * T + 1, 1, 2)
    contributions = {1: ("PROVED", HASH_A), 2: ("CONTRIBUTED", HASH_A)}
    pool.read(task, "REVEALING", contributions, winners=2, reveals=1, value=HASH_A)
    assert pool.statuses(2, task)[-1] == "FAILED"
    assert pool.replicate(2, task).history[-1].cause is C.REVEAL_TIMEOUT
    assert pool.status(task) == "FINALIZING"


def unrevealed(pool):
    """A task whose only winner let the reveal deadline pass, and the chain said so."""
    task = pool.to_consensus(1)
    pool.connect(2)
    pool.live(2 * T + 1, 1, 2)
    pool.read(task, "REVEALING", {1: ("CONTRIBUTED", HASH_A)}, winners=1, value=HASH_A)
    return task


def test_zero_reveals_reopen_the_task_for_others(pool):
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


def test_a_refused_reopening_fails_the_task(pool):
    task = unrevealed(pool)
    chain = {"contributions": {1: ("CONTRIBUTED", HASH_A)}, "winners": 1, "value": HASH_A}
    pool.refuse(task, K.REOPEN, "REVEALING", **chain)
    assert pool.history(task)[-2:] == ["REOPEN_FAILED", "FAILED"]


def test_a_task_that_failed_is_claimed_at_its_final_deadline_even_after_a_restart(pool):
    task = pool.ready()
    pool.wait(7 * T + 1)
    pool.read(task, "ACTIVE")
    assert pool.history(task)[-1] == "FAILED"
    pool.restart()
    assert not pool.sent(d.RequestTransaction, kind=K.CLAIM)
    pool.wait(3 * T)
    assert pool.sent(d.RequestTransaction, kind=K.CLAIM, task_id=task)
    pool.mine(pool.log("CLAIMED", task))
    pool.bury()
    assert task not in pool.scheduler.tasks
    assert pool.ledger.tasks[task].claim_due is False


def test_an_unanswered_claim_is_asked_again(pool):
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


def test_trap_the_contribution_timeout_never_fails_a_task_with_consensus_on_chain(pool):
    pool.connect(1)
    task = pool.ready()
    pool.compute(1, task)
    pool.live(7 * T + 1, 1)
    pool.read(task, "REVEALING", {1: ("CONTRIBUTED", HASH_A)}, winners=1, value=HASH_A)
    assert pool.status(task) == "CONSENSUS_REACHED"


def test_trap_a_timed_out_task_does_not_run_again(pool):
    pool.connect(1)
    task = pool.ready()
    pool.live(7 * T + 1, 1)
    pool.read(task, "ACTIVE")
    pool.report(1, task, R.STARTING, R.STARTED)
    assert pool.status(task) == "FAILED"


def test_a_read_asked_before_the_deadline_does_not_judge_it(pool):
    pool.connect(1)
    task = pool.ready()
    pool.live(7 * T + 1, 1)
    early = e.TaskRead(task, pool.block, pool.chain_task(task), {}, pool.now - 10)
    assert [x for x in pool.handle(early) if isinstance(x, d.ReadTask)]
    assert pool.status(task) == "INITIALIZED"
