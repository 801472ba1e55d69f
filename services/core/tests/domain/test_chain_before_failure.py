"""The chain is read before any task is failed: it may know of a contribution or an end that nobody told."""

import pytest
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_poco.protocol.statuses import ReplicateStatus as R

SCONE = "0x" + f"{3:064x}"
HASH_A = "0x" + "aa" * 32


def hopeless(pool) -> str:
    """An enclave task that the only able worker failed."""
    pool.connect(1, sgx=True)
    task = pool.ready(tag=SCONE)
    pool.handle(e.EnclaveChallengeAnswered(task, "0xChallenge", "https://sms"))
    pool.report(1, task, R.STARTING, R.STARTED, R.APP_DOWNLOADING)
    pool.effects.clear()
    pool.report(1, task, R.APP_DOWNLOAD_FAILED)
    return task


def unchallenged(pool) -> str:
    """An enclave task for which the SMS gives no challenge."""
    task = pool.ready(tag=SCONE)
    pool.effects.clear()
    pool.handle(e.EnclaveChallengeAnswered(task, ""))
    return task


@pytest.mark.parametrize(
    ("doom", "reason"), [(hopeless, "RUNNING_FAILED"), (unchallenged, "INITIALIZE_FAILED")]
)
def test_it_fails_once_the_chain_was_read_and_not_before(pool, doom, reason):
    task = doom(pool)
    assert len(pool.sent(d.ReadTask, task_id=task)) == 1
    assert "FAILED" not in pool.history(task)
    pool.read(task, "ACTIVE")
    assert pool.history(task)[-2:] == [reason, "FAILED"]


@pytest.mark.parametrize("doom", [hopeless, unchallenged])
def test_a_read_from_before_does_not_count(pool, doom):
    asked = pool.now - 1
    task = doom(pool)
    pool.handle(e.TaskRead(task, pool.block, pool.chain_task(task), {}, asked))
    assert "FAILED" not in pool.history(task)
    assert len(pool.sent(d.ReadTask, task_id=task)) == 2


@pytest.mark.parametrize("doom", [hopeless, unchallenged])
def test_a_task_that_the_chain_completed_is_completed(pool, doom):
    task = doom(pool)
    pool.read(task, "COMPLETED")
    assert pool.status(task) == "COMPLETED"


def test_s32_a_contribution_that_landed_all_the_same_keeps_the_task_running(pool):
    task = hopeless(pool)
    pool.read(task, "ACTIVE", {1: ("CONTRIBUTED", HASH_A)})
    assert pool.status(task) == "RUNNING"
    assert pool.replicate(1, task).contribution_hash == HASH_A


def test_s32_a_consensus_that_is_not_wholly_known_is_waited_for(pool):
    task = hopeless(pool)
    for _ in range(3):
        pool.read(task, "REVEALING", winners=1, value=HASH_A)
        assert not [effect for effect in pool.last if isinstance(effect, d.ReadTask)]
        pool.wait(pool.policy.retry_s)
    assert "FAILED" not in pool.history(task)
    pool.read(task, "ACTIVE")
    assert pool.history(task)[-2:] == ["RUNNING_FAILED", "FAILED"]


def test_s32_a_worker_that_came_meanwhile_saves_it(pool):
    task = hopeless(pool)
    pool.connect(2, sgx=True)
    pool.read(task, "ACTIVE")
    assert "FAILED" not in pool.history(task)
    assert pool.assigned(task) == ["0xWorker1", "0xWorker2"]


def test_a_task_that_the_chain_does_not_know_is_not_read_in_a_circle(pool):
    task = hopeless(pool)
    pool.read(task, None)
    assert not [effect for effect in pool.last if isinstance(effect, d.ReadTask)]
    assert "FAILED" not in pool.history(task)
    pool.mine(pool.log("INITIALIZE", task))
    pool.read(task, "ACTIVE")
    assert pool.history(task)[-2:] == ["RUNNING_FAILED", "FAILED"]
