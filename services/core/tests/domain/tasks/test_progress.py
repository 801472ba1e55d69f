"""The steps of a task to its end: acceptance scenarios 30-32 and 35-37 of core spec §13."""

from typing import Any

import pytest
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.tasks import progress
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus as R
from workerpool_poco.protocol.statuses import ReplicateStatusCause as C

from services.core.tests.doubles.scripted_pool import ScriptedPool

SCONE = "0x" + f"{3:064x}"
T = 300
HASH_A, HASH_B = "0x" + "aa" * 32, "0x" + "bb" * 32
LINK = '{"storage":"ipfs","location":"/results/0x"}'
K = e.TransactionKind


def test_s30_a_task_runs_only_once_a_replicate_started(pool: ScriptedPool) -> None:
    pool.connect(1)
    pool.connect(2)
    task = pool.ready(trust=3)
    assert pool.status(task) == "INITIALIZED"
    pool.report(1, task, R.STARTING, R.START_FAILED)
    assert pool.status(task) == "INITIALIZED"
    pool.report(2, task, R.STARTING)
    assert pool.status(task) == "INITIALIZED"
    pool.report(2, task, R.STARTED)
    assert pool.status(task) == "RUNNING"


def test_s31_a_consensus_asks_winners_to_reveal_and_aborts_the_others(pool: ScriptedPool) -> None:
    task = pool.to_computed(1, 2, 3, 4, trust=9)
    pool.contribute(1, task, HASH_A)
    pool.contribute(2, task, HASH_B)
    pool.contribute(3, task, HASH_A, consensus=True)
    assert pool.status(task) == "CONSENSUS_REACHED"
    assert [pool.commands(n) for n in (1, 2, 3, 4)] == [["REVEAL"], ["ABORT"], ["REVEAL"], ["ABORT"]]
    assert {c.command.block for c in pool.sent(d.SendCommand) if c.command.action.value == "REVEAL"} == {
        pool.block
    }
    assert {c.command.cause for c in pool.sent(d.SendCommand) if c.command.action.value == "ABORT"} == {
        C.CONSENSUS_REACHED
    }


def test_s31_a_read_with_more_winners_than_known_is_repeated(pool: ScriptedPool) -> None:
    pool.connect(1)
    pool.connect(2)
    task = pool.ready(trust=3)
    pool.compute(1, task)
    pool.read(task, "REVEALING", {1: ("CONTRIBUTED", HASH_A)}, winners=2, value=HASH_A)
    assert pool.status(task) == "RUNNING"
    contributions = {1: ("CONTRIBUTED", HASH_A), 2: ("CONTRIBUTED", HASH_A)}
    pool.read(task, "REVEALING", contributions, winners=2, value=HASH_A)
    assert pool.status(task) == "CONSENSUS_REACHED"


def enclave(pool: ScriptedPool, *numbers: int) -> TaskId:
    for number in numbers:
        pool.connect(number, sgx=True)
    task = pool.ready(tag=SCONE)
    pool.handle(e.EnclaveChallengeAnswered(task, "0xChallenge", "https://sms"))
    return task


def test_s32_an_enclave_task_that_every_able_worker_failed_fails(pool: ScriptedPool) -> None:
    pool.connect(9)  # has no enclave, so does not count
    task = enclave(pool, 1, 2)
    pool.report(1, task, R.STARTING, R.STARTED, R.APP_DOWNLOADING, R.APP_DOWNLOAD_FAILED)
    assert pool.status(task) == "RUNNING"
    pool.report(1, task, R.ABORTED)
    pool.report(2, task, R.STARTING, R.START_FAILED)
    pool.read(task)
    assert pool.history(task)[-2:] == ["RUNNING_FAILED", "FAILED"]


def test_s32_an_able_worker_that_computes_or_has_not_tried_keeps_the_task_running(pool: ScriptedPool) -> None:
    task = enclave(pool, 1, 2)
    pool.report(1, task, R.STARTING, R.STARTED, R.APP_DOWNLOADING, R.APP_DOWNLOAD_FAILED)
    pool.report(2, task, R.STARTING)
    assert pool.status(task) == "RUNNING"


def test_s32_a_standard_task_does_not_fail_with_its_workers(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready()
    pool.report(1, task, R.STARTING, R.STARTED, R.APP_DOWNLOADING, R.APP_DOWNLOAD_FAILED)
    assert pool.status(task) == "RUNNING"


def test_s35_finalize_waits_for_all_winners(pool: ScriptedPool) -> None:
    task = pool.to_consensus(1, 2, 3, trust=5)
    pool.reveal(1, task)
    pool.upload(1, task)
    assert pool.status(task) == "RESULT_UPLOADED"
    pool.reveal(2, task)
    assert pool.status(task) == "RESULT_UPLOADED"
    pool.reveal(3, task)
    assert pool.status(task) == "FINALIZING"


def test_s35_after_the_reveal_deadline_one_reveal_is_enough(pool: ScriptedPool) -> None:
    task = pool.to_consensus(1, 2, 3, trust=5)
    pool.reveal(1, task)
    pool.upload(1, task)
    pool.live(2 * T + 1, 1, 2, 3)
    assert pool.status(task) == "FINALIZING"
    pool.handle(e.TransactionAnswered(task, K.FINALIZE, True, 99))
    assert pool.status(task) == "COMPLETED"
    assert pool.commands(1)[-1] == "COMPLETE"


def test_s35_a_finalization_that_is_too_early_is_retried(pool: ScriptedPool) -> None:
    task = pool.to_finalizing(1)
    pool.handle(e.TransactionAnswered(task, K.FINALIZE, False))
    pool.read(task, "REVEALING", {1: ("CONTRIBUTED", HASH_A)}, winners=1, reveals=0, value=HASH_A)
    assert pool.status(task) == "FINALIZING"
    pool.wait(5)
    assert len(pool.sent(d.RequestTransaction, kind=K.FINALIZE)) == 2


def test_s36_a_refused_finalization_fails_the_task_once_the_chain_agrees(pool: ScriptedPool) -> None:
    task = pool.to_finalizing(1)
    chain: dict[str, Any] = {
        "contributions": {1: ("PROVED", HASH_A)},
        "winners": 1,
        "reveals": 1,
        "value": HASH_A,
    }
    pool.handle(e.TransactionAnswered(task, K.FINALIZE, False, reason="reverted"))
    assert pool.status(task) == "FINALIZING"
    pool.refuse(task, K.FINALIZE, "REVEALING", **chain)
    assert pool.history(task)[-2:] == ["FINALIZE_FAILED", "FAILED"]


def test_s36_two_answers_to_one_request_count_as_one_refusal(pool: ScriptedPool) -> None:
    task = pool.to_finalizing(1)
    chain: dict[str, Any] = {
        "contributions": {1: ("PROVED", HASH_A)},
        "winners": 1,
        "reveals": 1,
        "value": HASH_A,
    }
    for _ in range(3):
        pool.handle(e.TransactionAnswered(task, K.FINALIZE, False, reason="reverted"))
        pool.read(task, "REVEALING", **chain)
    assert pool.status(task) == "FINALIZING"


def test_trap_a_refusal_after_a_mined_finalization_completes_the_task(pool: ScriptedPool) -> None:
    task = pool.to_finalizing(1)
    pool.handle(e.TransactionAnswered(task, K.FINALIZE, False, reason="reverted"))
    pool.read(task, "COMPLETED", {1: ("PROVED", HASH_A)}, value=HASH_A)
    assert pool.status(task) == "COMPLETED"


def test_s37_a_contribute_and_finalize_completes_without_a_report(pool: ScriptedPool) -> None:
    task = enclave(pool, 1)
    pool.compute(1, task)
    tx = "0xone"
    pool.mine(
        pool.log("CONTRIBUTE", task, 1, HASH_A, tx),
        pool.log("CONSENSUS", task, value=HASH_A, tx=tx),
        pool.log("REVEAL", task, 1, "0xdd", tx),
        pool.log("FINALIZE", task, value="0x" + LINK.encode().hex(), tx=tx),
    )
    assert pool.history(task)[-3:] == ["RUNNING", "FINALIZED", "COMPLETED"]
    assert pool.statuses(1, task)[-2:] == [
        "CONTRIBUTE_AND_FINALIZE_ONGOING",
        "CONTRIBUTE_AND_FINALIZE_DONE",
    ]
    assert pool.ledger.tasks[task].result_link == LINK
    assert pool.commands(1) == ["COMPLETE"]


def test_trap_a_contribution_to_a_caf_eligible_task_takes_the_standard_path(pool: ScriptedPool) -> None:
    task = enclave(pool, 1)
    pool.report(1, task, R.STARTING, R.STARTED, R.APP_DOWNLOADING)
    pool.report(1, task, R.APP_DOWNLOAD_FAILED, cause=C.APP_IMAGE_DOWNLOAD_FAILED)
    pool.report(1, task, R.CONTRIBUTING)
    pool.contribute(1, task, HASH_A, consensus=True)
    assert pool.status(task) == "CONSENSUS_REACHED"
    assert pool.commands(1) == ["ABORT", "REVEAL"]


def test_trap_running_failed_requires_a_live_able_worker(pool: ScriptedPool) -> None:
    task = enclave(pool, 1)
    pool.report(1, task, R.STARTING, R.STARTED)
    pool.cut(1)
    pool.wait(120)
    assert pool.status(task) == "RUNNING"
    pool.restart()
    assert pool.status(task) == "RUNNING"


@pytest.mark.parametrize("chain", ["ACTIVE", "REVEALING"])
def test_a_reconciliation_reads_every_live_task(pool: ScriptedPool, chain: Any) -> None:
    first = pool.to_consensus(1) if chain == "REVEALING" else pool.ready()
    pool.effects.clear()
    pool.handle(e.ReconcileDue())
    assert pool.sent(d.ReadTask, task_id=first)


def test_a_task_is_finalizable_with_all_reveals_or_after_the_reveal_deadline(pool: ScriptedPool) -> None:
    task_id = pool.to_consensus(1, 2, trust=3)
    task = pool.task(task_id)
    assert not progress.is_finalizable(task, pool.now)
    pool.reveal(1, task_id)
    assert progress.reveal_count(task) == 1
    assert not progress.is_finalizable(task, task.reveal_deadline - 1)
    assert progress.is_finalizable(task, task.reveal_deadline)
    assert not progress.is_finalizable(task, task.terms.final_deadline)
