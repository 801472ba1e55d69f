"""Reorganisations: what the chain takes back is done again, and a record that cannot run backwards stays true."""

from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_poco.protocol.statuses import ReplicateStatus as R

T = 300
HASH_A, HASH_B = "0x" + "aa" * 32, "0x" + "bb" * 32
GONE = ("UNSET", "0x")
K = e.TransactionKind


def contributed(pool, *numbers, trust):
    """A task to which these workers contributed, without a consensus yet."""
    pool.connect_all(*numbers, 9)
    task = pool.ready(trust=trust)
    for number in numbers:
        pool.compute(number, task)
        pool.report(number, task, R.CONTRIBUTING)
        pool.contribute(number, task)
    return task


def test_every_task_under_way_is_read_again(pool):
    first, second = pool.ready(), pool.to_consensus(1)
    effects = pool.revert(1)
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
    pool.revert(1)
    pool.read(task, None)
    assert len(pool.sent(d.RequestTransaction, kind=K.INITIALIZE, task_id=task)) == 2
    pool.connect(1)
    assert pool.assigned(task) == []
    pool.mine(pool.log("INITIALIZE", task))
    assert pool.assigned(task) == ["0xWorker1"]
    assert pool.status(task) == "INITIALIZED"


def test_one_that_stands_in_another_block_is_taken_from_there(pool):
    task = pool.ready()
    pool.revert(1)
    pool.mine()
    pool.mine(pool.log("INITIALIZE", task))
    assert pool.task(task).initialization_block == pool.block
    assert pool.ledger.tasks[task].initialization_block == pool.block


# --- contributions ------------------------------------------------------------------------------


def test_a_contribution_is_asked_for_again_and_counts_when_it_returns(pool):
    task = contributed(pool, 1, trust=5)
    pool.revert(1)
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
    pool.revert(1)
    pool.read(task, "ACTIVE", {1: ("CONTRIBUTED", HASH_A)})
    assert pool.commands(1) == []
    assert pool.replicate(1, task).contribution_hash == HASH_A


def test_nobody_else_is_asked_while_it_may_come_back(pool):
    task = contributed(pool, 1, 2, trust=3)
    pool.revert(2)
    pool.read(task, "ACTIVE", {1: GONE, 2: ("CONTRIBUTED", HASH_A)})
    assert pool.assigned(task) == ["0xWorker1", "0xWorker2"]


def test_one_of_a_worker_that_gave_up_is_asked_of_another(pool):
    task = contributed(pool, 1, 2, trust=3)
    pool.report(1, task, R.ABORTED)
    pool.revert(2)
    pool.read(task, "ACTIVE", {1: GONE, 2: ("CONTRIBUTED", HASH_A)})
    assert "CONTRIBUTE" not in pool.commands(1)
    assert pool.assigned(task) == ["0xWorker1", "0xWorker2", "0xWorker9"]


def test_with_its_initialization_it_is_asked_for_once(pool):
    """The worker waits for the initialization by itself."""
    task = contributed(pool, 1, trust=5)
    pool.revert(2)
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
    pool.revert(1)
    pool.read(task, "ACTIVE", {1: GONE})
    assert pool.history(task)[-4:] == ["REOPENING", "REOPENED", "INITIALIZED", "RUNNING"]
    assert (pool.task(task).consensus, pool.task(task).consensus_block) == ("", 0)
    assert not [c for c in pool.ledger.commands.values() if c.action.value == "REVEAL"], "withdrawn"
    pool.contribute(1, task, consensus=True)
    assert pool.status(task) == "CONSENSUS_REACHED"
    assert pool.commands(1)[-1] == "REVEAL"


def test_the_contributions_that_remain_keep_counting(pool):
    task = pool.to_consensus(1, 2, trust=3)
    pool.revert(1)
    pool.read(task, "ACTIVE", {1: ("CONTRIBUTED", HASH_A), 2: GONE})
    assert [pool.commands(number)[-1] for number in (1, 2)] == ["REVEAL", "CONTRIBUTE"]
    pool.contribute(2, task, consensus=True)
    assert [pool.commands(number)[-1] for number in (1, 2)] == ["REVEAL", "REVEAL"]
    assert pool.task(task).consensus_block == pool.block


def test_one_that_came_back_in_another_block_is_revealed_with_that_block(pool):
    task = pool.to_consensus(1)
    pool.acknowledge(1)
    pool.revert(1)
    pool.mine()
    pool.contribute(1, task, consensus=True)
    again = pool.sent(d.SendCommand)[-1]
    assert (again.command.action.value, again.command.block, again.resume) == ("REVEAL", pool.block, True)
    assert pool.history(task).count("CONSENSUS_REACHED") == 1


def test_another_one_on_the_surviving_branch_changes_winners_and_losers(pool):
    task = pool.to_computed(1, 2, 3, trust=5)
    pool.contribute(1, task, HASH_A)
    pool.contribute(2, task, HASH_B)
    pool.contribute(3, task, HASH_A, consensus=True)
    assert [pool.commands(number)[-1] for number in (1, 2, 3)] == ["REVEAL", "ABORT", "REVEAL"]
    pool.revert(1)
    pool.contribute(3, task, HASH_B, consensus=True)
    assert [pool.commands(number)[-1] for number in (1, 2, 3)] == ["ABORT", "REVEAL", "REVEAL"]
    assert pool.task(task).consensus == HASH_B


def test_with_its_initialization_the_task_starts_over(pool):
    task = pool.to_consensus(1)
    pool.revert(2)
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
    pool.acknowledge(1)
    pool.effects.clear()
    pool.revert(1)
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
    pool.acknowledge(1)
    pool.revert(1)
    pool.effects.clear()
    pool.now += 2 * T + 1
    revealing(pool, task)
    assert pool.commands(1) == []


def test_a_finalization_that_was_refused_for_want_of_the_reveal_is_tried_again(pool):
    task = pool.to_finalizing(1)
    pool.revert(1)
    for _ in range(3):
        pool.handle(e.TransactionAnswered(task, K.FINALIZE, False, reason="reverted"))
        revealing(pool, task)
        pool.wait(pool.policy.retry_s)
    assert pool.status(task) == "FINALIZING"
    assert len(pool.sent(d.RequestTransaction, kind=K.FINALIZE)) == 4


def test_refusals_soon_after_a_reorganisation_fail_nothing(pool):
    task = pool.to_finalizing(1)
    chain = {"contributions": {1: ("PROVED", HASH_A)}, "winners": 1, "reveals": 1, "value": HASH_A}
    pool.revert(1)
    pool.refuse(task, K.FINALIZE, "REVEALING", **chain)
    assert pool.status(task) == "FINALIZING"
    pool.wait(pool.policy.reorganisation_doubt_s)
    pool.refuse(task, K.FINALIZE, "REVEALING", **chain)
    assert pool.history(task)[-2:] == ["FINALIZE_FAILED", "FAILED"]
