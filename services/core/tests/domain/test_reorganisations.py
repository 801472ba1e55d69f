"""Reorganisations: what the chain takes back is done again, and a record that cannot run backwards stays true."""

from dataclasses import replace

import pytest
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_poco.statuses import ReplicateStatus as R
from workerpool_poco.statuses import ReplicateStatusCause as C

T = 300
HASH_A, HASH_B = "0x" + "aa" * 32, "0x" + "bb" * 32
GONE = ("UNSET", "0x")
K = e.TransactionKind


def revert(pool, blocks):
    """The chain forgets its newest blocks; what comes next is another branch."""
    ancestor = pool.block - blocks
    effects = pool.handle(e.BlocksReverted(ancestor))
    pool.block = ancestor
    return effects


def acknowledge(pool, number):
    """A worker takes every command that it was sent."""
    for effect in pool.sent(d.SendCommand, wallet=f"0xWorker{number}"):
        pool.handle(e.CommandAcked(f"0xWorker{number}", effect.command.sequence))


def contributed(pool, *numbers, trust):
    """A task to which these workers contributed, without a consensus yet."""
    for number in (*numbers, 9):
        pool.connect(number)
    task = pool.ready(trust=trust)
    for number in numbers:
        pool.compute(number, task)
        pool.report(number, task, R.CONTRIBUTING)
        pool.contribute(number, task)
    return task


def test_every_task_under_way_is_read_again(pool):
    first, second = pool.ready(), pool.to_consensus(1)
    effects = revert(pool, 1)
    assert {read.task_id for read in effects if isinstance(read, d.ReadTask)} == {first, second}


def test_a_read_older_than_the_followed_head_is_not_believed(pool):
    task = pool.to_consensus(1)
    old = e.TaskRead(task, pool.block - 1, pool.chain_task(task), {}, pool.now)
    pool.handle(old)
    assert pool.status(task) == "CONSENSUS_REACHED"
    pool.effects.clear()
    pool.wait(3)
    assert pool.sent(d.ReadTask, task_id=task)


# --- an initialization --------------------------------------------------------------------------


def test_an_initialization_is_asked_for_again_and_nothing_is_supplied_meanwhile(pool):
    task = pool.ready()
    revert(pool, 1)
    pool.read(task, None)
    assert len(pool.sent(d.RequestTransaction, kind=K.INITIALIZE, task_id=task)) == 2
    pool.connect(1)
    assert pool.assigned(task) == []
    pool.mine(pool.log("INITIALIZE", task))
    assert pool.assigned(task) == ["0xWorker1"]
    assert pool.status(task) == "INITIALIZED"


def test_one_that_stands_in_another_block_is_taken_from_there(pool):
    task = pool.ready()
    revert(pool, 1)
    pool.mine()
    pool.mine(pool.log("INITIALIZE", task))
    assert pool.task(task).initialization_block == pool.block
    assert pool.ledger.tasks[task].initialization_block == pool.block


# --- contributions ------------------------------------------------------------------------------


def test_a_contribution_is_asked_for_again_and_counts_when_it_returns(pool):
    task = contributed(pool, 1, trust=5)
    revert(pool, 1)
    pool.read(task, "ACTIVE", {1: GONE})
    assert pool.replicate(1, task).contribution_hash == ""
    assert pool.commands(1) == ["CONTRIBUTE"]
    assert pool.sent(d.SendCommand)[-1].resume, "a worker that forgot the task needs its assignment"
    history = pool.statuses(1, task)
    pool.contribute(1, task)
    assert pool.replicate(1, task).contribution_hash == HASH_A
    assert pool.statuses(1, task) == history, "CONTRIBUTED is entered once"


def test_one_that_stands_on_the_surviving_branch_too_is_not_asked_for(pool):
    task = contributed(pool, 1, trust=5)
    revert(pool, 1)
    pool.read(task, "ACTIVE", {1: ("CONTRIBUTED", HASH_A)})
    assert pool.commands(1) == []
    assert pool.replicate(1, task).contribution_hash == HASH_A


def test_nobody_else_is_asked_while_it_may_come_back(pool):
    task = contributed(pool, 1, 2, trust=3)
    revert(pool, 2)
    pool.read(task, "ACTIVE", {1: GONE, 2: ("CONTRIBUTED", HASH_A)})
    assert pool.assigned(task) == ["0xWorker1", "0xWorker2"]


def test_one_of_a_worker_that_gave_up_is_asked_of_another(pool):
    task = contributed(pool, 1, 2, trust=3)
    pool.report(1, task, R.ABORTED)
    revert(pool, 2)
    pool.read(task, "ACTIVE", {1: GONE, 2: ("CONTRIBUTED", HASH_A)})
    assert "CONTRIBUTE" not in pool.commands(1)
    assert pool.assigned(task) == ["0xWorker1", "0xWorker2", "0xWorker9"]


def test_with_its_initialization_it_is_asked_for_once(pool):
    """The worker waits for the initialization by itself."""
    task = contributed(pool, 1, trust=5)
    revert(pool, 2)
    for _ in range(2):
        pool.read(task, None, {1: GONE})
    pool.mine(pool.log("INITIALIZE", task))
    pool.read(task, "ACTIVE", {1: GONE})
    assert pool.commands(1) == ["CONTRIBUTE"]
    pool.contribute(1, task)
    assert pool.replicate(1, task).contribution_hash == HASH_A


# --- a consensus --------------------------------------------------------------------------------


def test_a_consensus_opens_the_task_again_until_it_returns(pool):
    task = pool.to_consensus(1)
    revert(pool, 1)
    pool.read(task, "ACTIVE", {1: GONE})
    assert pool.history(task)[-4:] == ["REOPENING", "REOPENED", "INITIALIZED", "RUNNING"]
    assert (pool.task(task).consensus, pool.task(task).consensus_block) == ("", 0)
    assert not [c for c in pool.ledger.commands.values() if c.action.value == "REVEAL"], "withdrawn"
    pool.contribute(1, task, consensus=True)
    assert pool.status(task) == "CONSENSUS_REACHED"
    assert pool.commands(1)[-1] == "REVEAL"


def test_the_contributions_that_remain_keep_counting(pool):
    task = pool.to_consensus(1, 2, trust=3)
    revert(pool, 1)
    pool.read(task, "ACTIVE", {1: ("CONTRIBUTED", HASH_A), 2: GONE})
    assert [pool.commands(number)[-1] for number in (1, 2)] == ["REVEAL", "CONTRIBUTE"]
    pool.contribute(2, task, consensus=True)
    assert [pool.commands(number)[-1] for number in (1, 2)] == ["REVEAL", "REVEAL"]
    assert pool.task(task).consensus_block == pool.block


def test_one_that_came_back_in_another_block_is_revealed_with_that_block(pool):
    task = pool.to_consensus(1)
    acknowledge(pool, 1)
    revert(pool, 1)
    pool.mine()
    pool.contribute(1, task, consensus=True)
    again = pool.sent(d.SendCommand)[-1]
    assert (again.command.action.value, again.command.block, again.resume) == ("REVEAL", pool.block, True)
    assert pool.history(task).count("CONSENSUS_REACHED") == 1


def test_another_one_on_the_surviving_branch_changes_winners_and_losers(pool):
    for number in (1, 2, 3):
        pool.connect(number)
    task = pool.ready(trust=5)
    for number in (1, 2, 3):
        pool.compute(number, task)
    pool.contribute(1, task, HASH_A)
    pool.contribute(2, task, HASH_B)
    pool.contribute(3, task, HASH_A, consensus=True)
    assert [pool.commands(number)[-1] for number in (1, 2, 3)] == ["REVEAL", "ABORT", "REVEAL"]
    revert(pool, 1)
    pool.contribute(3, task, HASH_B, consensus=True)
    assert [pool.commands(number)[-1] for number in (1, 2, 3)] == ["ABORT", "REVEAL", "REVEAL"]
    assert pool.task(task).consensus == HASH_B


def test_with_its_initialization_the_task_starts_over(pool):
    task = pool.to_consensus(1)
    revert(pool, 2)
    pool.read(task, None, {1: GONE})
    assert pool.history(task)[-3:] == ["REOPENED", "INITIALIZED", "RUNNING"]
    assert pool.commands(1)[-1] == "CONTRIBUTE"
    pool.mine(pool.log("INITIALIZE", task))
    pool.contribute(1, task, consensus=True)
    assert pool.status(task) == "CONSENSUS_REACHED"


# --- reveals ------------------------------------------------------------------------------------


def revealing(pool, task, **contributions):
    """The chain says that the task is REVEALING, with nobody's reveal left."""
    pool.read(task, "REVEALING", {1: ("CONTRIBUTED", HASH_A)}, winners=1, reveals=0, value=HASH_A)


def test_a_reveal_and_the_upload_after_it_are_asked_for_again_once(pool):
    task = pool.to_upload(1)
    acknowledge(pool, 1)
    pool.effects.clear()
    revert(pool, 1)
    revealing(pool, task)
    revealing(pool, task)
    assert [(c.command.action.value, c.resume) for c in pool.sent(d.SendCommand)] == [
        ("REVEAL", True),
        ("UPLOAD", True),
    ]
    pool.reveal(1, task)
    pool.upload(1, task)
    assert pool.status(task) == "FINALIZING"
    assert pool.statuses(1, task).count("REVEALED") == 1


def test_a_reveal_that_can_come_no_more_is_not_asked_for(pool):
    task = pool.to_upload(1)
    acknowledge(pool, 1)
    revert(pool, 1)
    pool.effects.clear()
    pool.now += 2 * T + 1
    revealing(pool, task)
    assert pool.commands(1) == []


def test_a_finalization_that_was_refused_for_want_of_the_reveal_is_tried_again(pool):
    task = pool.to_finalizing(1)
    revert(pool, 1)
    for _ in range(3):
        pool.handle(e.TransactionAnswered(task, K.FINALIZE, False, reason="reverted"))
        revealing(pool, task)
        pool.wait(pool.policy.retry_s)
    assert pool.status(task) == "FINALIZING"
    assert len(pool.sent(d.RequestTransaction, kind=K.FINALIZE)) == 4


def test_refusals_soon_after_a_reorganisation_fail_nothing(pool):
    task = pool.to_finalizing(1)
    chain = {"contributions": {1: ("PROVED", HASH_A)}, "winners": 1, "reveals": 1, "value": HASH_A}
    revert(pool, 1)
    pool.refuse(task, K.FINALIZE, "REVEALING", **chain)
    assert pool.status(task) == "FINALIZING"
    pool.wait(pool.policy.reorganisation_doubt_s)
    pool.refuse(task, K.FINALIZE, "REVEALING", **chain)
    assert pool.history(task)[-2:] == ["FINALIZE_FAILED", "FAILED"]


# --- a finalization -----------------------------------------------------------------------------


def completed(pool):
    """A task whose finalization is mined and whose worker has said his last word."""
    task = pool.to_finalizing(1)
    pool.mine(pool.log("FINALIZE", task, value="0x"))
    pool.report(1, task, R.COMPLETING, R.COMPLETED)
    pool.wait(1)
    pool.effects.clear()
    return task


def finalizations(pool, task):
    return pool.sent(d.RequestTransaction, kind=K.FINALIZE, task_id=task)


def test_a_finalization_is_asked_for_again_until_it_stands(pool):
    task = completed(pool)
    revert(pool, 1)
    (asked,) = finalizations(pool, task)
    assert asked.result_link
    pool.wait(60)
    assert len(finalizations(pool, task)) > 1
    pool.handle(e.TransactionAnswered(task, K.FINALIZE, True, pool.block + 1))
    pool.read(task, "COMPLETED")
    pool.effects.clear()
    pool.wait(60)
    assert not finalizations(pool, task)
    assert pool.history(task)[-1] == "COMPLETED"


def test_an_answer_about_the_branch_that_is_gone_does_not_settle_it(pool):
    """The adapter saw the finalization mined, and says so when the scheduler knows already that it vanished."""
    task = completed(pool)
    gone = pool.block
    revert(pool, 1)
    pool.handle(e.TransactionAnswered(task, K.FINALIZE, True, gone))
    pool.effects.clear()
    pool.read(task, "REVEALING")
    pool.wait(pool.policy.retry_s)
    assert finalizations(pool, task)


def test_an_answer_soon_after_a_reorganisation_completes_nothing_that_the_chain_has_open(pool):
    task = pool.to_finalizing(1)
    revert(pool, 1)
    pool.handle(e.TransactionAnswered(task, K.FINALIZE, True, pool.block + 1))
    assert pool.status(task) == "FINALIZING"
    pool.read(task, "COMPLETED")
    assert pool.status(task) == "COMPLETED"


def test_only_the_finalization_itself_says_that_it_stands_again(pool):
    task = completed(pool)
    revert(pool, 3)
    pool.mine(pool.log("CONTRIBUTE", task, 1, HASH_A), pool.log("CONSENSUS", task, value=HASH_A))
    pool.effects.clear()
    pool.wait(60)
    assert finalizations(pool, task)
    pool.mine(pool.log("FINALIZE", task, value="0x"))
    pool.wait(60)
    pool.effects.clear()
    pool.wait(60)
    assert not finalizations(pool, task)


def test_one_that_was_taken_back_twice_is_asked_for_twice(pool):
    task = completed(pool)
    revert(pool, 1)
    for _ in range(5):
        pool.mine()
    pool.mine(pool.log("FINALIZE", task, value="0x"))
    pool.effects.clear()
    revert(pool, 1)
    assert finalizations(pool, task)


def test_a_branch_that_holds_the_finalization_changes_nothing(pool):
    task = completed(pool)
    for _ in range(3):
        pool.mine()
    revert(pool, 3)
    assert not finalizations(pool, task)


def test_64_blocks_later_it_counts_as_there_to_stay(pool):
    task = completed(pool)
    for _ in range(pool.policy.reorganisation_blocks - 1):
        pool.mine()
    pool.wait(pool.policy.ended_retention_s + 1)
    assert task in pool.scheduler.tasks
    pool.mine()
    pool.wait(pool.policy.ended_retention_s + 1)
    assert task not in pool.scheduler.tasks


def test_one_that_never_stands_again_refunds_the_requester(pool):
    """The reveal vanished with it, and the worker that could repeat it has left."""
    task = completed(pool)
    revert(pool, 2)
    pool.wait(10 * T)
    assert pool.sent(d.RequestTransaction, kind=K.CLAIM, task_id=task)
    pool.mine(pool.log("CLAIMED", task))
    pool.bury()
    assert task not in pool.scheduler.tasks
    assert pool.history(task)[-1] == "COMPLETED"


# --- the deal itself ----------------------------------------------------------------------------


def refuse_initialization(pool, task):
    """The adapter says that it knows no such deal, and the chain agrees."""
    pool.handle(e.TransactionAnswered(task, K.INITIALIZE, False, reason="TARGET_NOT_FOUND"))
    pool.read(task, None, {1: GONE})


def vanished(pool, task, blocks):
    """The deal goes with everything that followed, and nobody buys it again."""
    revert(pool, blocks)
    pool.read(task, None, {1: GONE})
    end = pool.now + pool.policy.reorganisation_doubt_s
    while pool.now < end:
        refuse_initialization(pool, task)
        pool.beat(1)
        pool.wait(15)
    assert not pool.task(task).ended, "it may be on its way back"
    for _ in range(2):
        refuse_initialization(pool, task)


def test_a_deal_that_does_not_come_back_ends_its_task(pool):
    pool.connect(1)
    (task,) = pool.deal()
    vanished(pool, task, 1)
    assert pool.history(task)[-2:] == ["INITIALIZE_FAILED", "FAILED"]


@pytest.mark.parametrize("stage", ["computing", "contributed", "consensus"])
def test_its_workers_are_set_free(pool, stage):
    pool.connect(1)
    task = pool.ready()
    pool.compute(1, task)
    if stage != "computing":
        pool.report(1, task, R.CONTRIBUTING)
        pool.contribute(1, task, consensus=stage == "consensus")
    vanished(pool, task, 3)
    assert pool.history(task)[-2:] == ["CONTRIBUTION_TIMEOUT", "FAILED"]
    assert (pool.commands(1)[-1], pool.sent(d.SendCommand)[-1].command.cause) == ("ABORT", C.TASK_NOT_ACTIVE)
    pool.report(1, task, R.ABORTED)
    pool.wait(11 * T)
    assert task not in pool.scheduler.tasks
    assert not pool.sent(d.RequestTransaction, kind=K.CLAIM), "there is nothing to claim"


def test_one_that_was_revealed_ends_at_its_final_deadline(pool):
    task = pool.to_upload(1)
    vanished(pool, task, 4)
    assert pool.status(task) == "RESULT_UPLOADING"
    pool.wait(10 * T)
    pool.read(task, None, {1: GONE})
    assert pool.history(task)[-2:] == ["FINAL_DEADLINE_REACHED", "FAILED"]


def test_a_deal_that_comes_back_goes_on_with_the_deadlines_of_its_new_block(pool):
    terms = pool.terms()
    pool.mine(deals=(e.DealSeen(terms),))
    (task,) = pool.ledger.tasks
    revert(pool, 1)
    pool.read(task, None)
    refuse_initialization(pool, task)
    pool.mine()
    later = replace(
        terms,
        block=pool.block + 1,
        start_time=terms.start_time + 20,
        contribution_deadline=terms.contribution_deadline + 20,
        final_deadline=terms.final_deadline + 20,
    )
    pool.mine(deals=(e.DealSeen(later),))
    assert pool.task(task).terms == pool.ledger.tasks[task].terms == later
    pool.mine(pool.log("INITIALIZE", task))
    pool.effects.clear()
    pool.wait(later.contribution_deadline - 1 - pool.now)
    assert not pool.sent(d.ReadTask), "the deadline that it had before means nothing now"
    pool.wait(1)
    assert pool.sent(d.ReadTask, task_id=task)
