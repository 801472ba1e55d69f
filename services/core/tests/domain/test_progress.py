"""How tasks advance, time out and end: acceptance scenarios 30-39 of core spec §13, and reopen and claim."""

import pytest
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_poco.statuses import ReplicateStatus as R
from workerpool_poco.statuses import ReplicateStatusCause as C

SCONE = "0x" + f"{3:064x}"
T = 300
HASH_A, HASH_B = "0x" + "aa" * 32, "0x" + "bb" * 32
LINK = '{"storage":"ipfs","location":"/results/0x"}'
K = e.TransactionKind


def alive(pool, seconds, *numbers):
    """Time passes while these workers keep giving signs of life."""
    end = pool.now + seconds
    while pool.now < end:
        pool.wait(min(20, end - pool.now))
        for number in numbers:
            pool.beat(number)


def test_s30_a_task_runs_only_once_a_replicate_started(pool):
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


def test_s31_consensus_makes_winners_reveal_and_aborts_the_others(pool):
    for number in (1, 2, 3, 4):
        pool.connect(number)
    task = pool.ready(trust=9)
    for number in (1, 2, 3, 4):
        pool.compute(number, task)
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


def test_s31_a_read_with_more_winners_than_known_waits(pool):
    pool.connect(1)
    pool.connect(2)
    task = pool.ready(trust=3)
    pool.compute(1, task)
    pool.read(task, "REVEALING", {1: ("CONTRIBUTED", HASH_A)}, winners=2, value=HASH_A)
    assert pool.status(task) == "RUNNING"
    contributions = {1: ("CONTRIBUTED", HASH_A), 2: ("CONTRIBUTED", HASH_A)}
    pool.read(task, "REVEALING", contributions, winners=2, value=HASH_A)
    assert pool.status(task) == "CONSENSUS_REACHED"


def enclave(pool, *numbers):
    for number in numbers:
        pool.connect(number, sgx=True)
    task = pool.ready(tag=SCONE)
    pool.handle(e.EnclaveChallengeAnswered(task, "0xChallenge", "https://sms"))
    return task


def test_s32_an_enclave_task_that_every_able_worker_failed_is_over(pool):
    pool.connect(9)  # has no enclave, so does not count
    task = enclave(pool, 1, 2)
    pool.report(1, task, R.STARTING, R.STARTED, R.APP_DOWNLOADING, R.APP_DOWNLOAD_FAILED)
    assert pool.status(task) == "RUNNING"
    pool.report(1, task, R.ABORTED)
    pool.report(2, task, R.STARTING, R.START_FAILED)
    pool.read(task)
    assert pool.history(task)[-2:] == ["RUNNING_FAILED", "FAILED"]


def test_s32_one_that_still_computes_or_has_not_tried_keeps_it_running(pool):
    task = enclave(pool, 1, 2)
    pool.report(1, task, R.STARTING, R.STARTED, R.APP_DOWNLOADING, R.APP_DOWNLOAD_FAILED)
    pool.report(2, task, R.STARTING)
    assert pool.status(task) == "RUNNING"


def test_s32_a_standard_task_never_fails_so(pool):
    pool.connect(1)
    task = pool.ready()
    pool.report(1, task, R.STARTING, R.STARTED, R.APP_DOWNLOADING, R.APP_DOWNLOAD_FAILED)
    assert pool.status(task) == "RUNNING"


def test_s33_one_reveal_asks_one_random_revealed_worker_to_upload(make_pool):
    chosen = set()
    for seed in range(8):
        pool = make_pool(seed=seed)
        task = pool.to_consensus(1, 2, 3, trust=5)
        pool.mine(pool.log("REVEAL", task, 1), pool.log("REVEAL", task, 2))
        chosen.add(pool.task(task).uploader)
        pool.reveal(3, task)
        assert sum(pool.commands(n).count("UPLOAD") for n in (1, 2, 3)) == 1
    assert chosen == {"0xWorker1", "0xWorker2"}


def uploader(pool, task):
    return int(pool.task(task).uploader.removeprefix("0xWorker"))


def test_s34_another_revealed_worker_is_asked_when_the_uploader_is_lost(pool):
    task = pool.to_upload(1, 2, 3, trust=5)
    first = uploader(pool, task)
    others = {1, 2, 3} - {first}
    alive(pool, 61, *others)
    assert uploader(pool, task) in others
    assert pool.statuses(first, task)[-1] == "RESULT_UPLOAD_FAILED"
    pool.effects.clear()
    pool.connect(first, held=(e.Held(task, R.REVEALED, True, 0),))
    assert "UPLOAD" not in pool.commands(first)


def test_s34_another_revealed_worker_is_asked_when_the_uploader_is_silent_for_2_minutes(pool):
    task = pool.to_upload(1, 2, 3, trust=5)
    first = uploader(pool, task)
    alive(pool, 119, 1, 2, 3)
    assert not pool.sent(d.CheckResult)
    alive(pool, 2, 1, 2, 3)
    pool.handle(e.ResultChecked(task, False))
    assert uploader(pool, task) != first
    assert pool.statuses(first, task)[-3:] == [
        "RESULT_UPLOAD_REQUESTED",
        "RESULT_UPLOADING",
        "RESULT_UPLOAD_FAILED",
    ]


def test_s34_a_silent_uploader_whose_archive_is_there_has_delivered(pool):
    task = pool.to_upload(1, 2, 3, trust=5)
    first = uploader(pool, task)
    alive(pool, 121, 1, 2, 3)
    pool.handle(e.ResultChecked(task, True, "/results/x"))
    assert pool.statuses(first, task)[-1] == "RESULT_UPLOADED"
    assert pool.status(task) == "FINALIZING"


def test_s34_an_uploader_that_recovers_is_not_replaced(pool):
    task = pool.to_upload(1, 2, 3, trust=5)
    first = uploader(pool, task)
    pool.report(first, task, R.RESULT_UPLOADING)
    pool.cut(first)
    pool.connect(first, held=(e.Held(task, R.RESULT_UPLOADING, True, 0),))
    assert pool.statuses(first, task)[-1] == "RECOVERING"
    assert uploader(pool, task) == first


def test_s35_finalize_waits_for_all_winners(pool):
    task = pool.to_consensus(1, 2, 3, trust=5)
    pool.reveal(1, task)
    pool.upload(1, task)
    assert pool.status(task) == "RESULT_UPLOADED"
    pool.reveal(2, task)
    assert pool.status(task) == "RESULT_UPLOADED"
    pool.reveal(3, task)
    assert pool.status(task) == "FINALIZING"


def test_s35_or_for_the_reveal_deadline_and_completes_everybody(pool):
    task = pool.to_consensus(1, 2, 3, trust=5)
    pool.reveal(1, task)
    pool.upload(1, task)
    alive(pool, 2 * T + 1, 1, 2, 3)
    assert pool.status(task) == "FINALIZING"
    pool.handle(e.TransactionAnswered(task, K.FINALIZE, True, 99))
    assert pool.status(task) == "COMPLETED"
    assert pool.commands(1)[-1] == "COMPLETE"


def test_s35_a_finalization_that_is_too_early_on_chain_is_tried_again(pool):
    task = pool.to_finalizing(1)
    pool.handle(e.TransactionAnswered(task, K.FINALIZE, False))
    pool.read(task, "REVEALING", {1: ("CONTRIBUTED", HASH_A)}, winners=1, reveals=0, value=HASH_A)
    assert pool.status(task) == "FINALIZING"
    pool.wait(5)
    assert len(pool.sent(d.RequestTransaction, kind=K.FINALIZE)) == 2


def test_s36_a_refused_finalization_fails_the_task_once_the_chain_agrees(pool):
    task = pool.to_finalizing(1)
    chain = {"contributions": {1: ("PROVED", HASH_A)}, "winners": 1, "reveals": 1, "value": HASH_A}
    pool.handle(e.TransactionAnswered(task, K.FINALIZE, False, reason="reverted"))
    assert pool.status(task) == "FINALIZING"
    pool.refuse(task, K.FINALIZE, "REVEALING", **chain)
    assert pool.history(task)[-2:] == ["FINALIZE_FAILED", "FAILED"]


def test_trap_a_refusal_although_the_first_transaction_succeeded_completes_the_task(pool):
    task = pool.to_finalizing(1)
    pool.handle(e.TransactionAnswered(task, K.FINALIZE, False, reason="reverted"))
    pool.read(task, "COMPLETED", {1: ("PROVED", HASH_A)}, value=HASH_A)
    assert pool.status(task) == "COMPLETED"


def test_s37_caf_completes_by_the_chain_alone(pool):
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


def test_s38_past_the_contribution_deadline_the_chain_is_asked_then_workers_are_freed(pool):
    pool.connect(1)
    task = pool.ready()
    pool.report(1, task, R.STARTING)
    alive(pool, 7 * T, 1)
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
    alive(pool, 10 * T, 1)
    pool.read(task, "REVEALING", {1: ("PROVED", HASH_A)}, winners=1, reveals=1, value=HASH_A)
    assert pool.history(task)[-2:] == ["FINAL_DEADLINE_REACHED", "FAILED"]
    pool.wait(1)
    assert pool.sent(d.RequestTransaction, kind=K.CLAIM, task_id=task)


def test_s38_ended_tasks_are_left_alone(pool):
    task = pool.to_finalizing(1)
    pool.mine(pool.log("FINALIZE", task, value="0x"))
    alive(pool, 11 * T, 1)
    assert pool.status(task) == "COMPLETED"
    assert not pool.sent(d.RequestTransaction, kind=K.CLAIM)


def test_s39_who_did_not_reveal_in_time_fails_and_the_task_still_finalizes(pool):
    task = pool.to_consensus(1, 2, trust=3)
    pool.reveal(1, task)
    pool.upload(1, task)
    alive(pool, 2 * T + 1, 1, 2)
    contributions = {1: ("PROVED", HASH_A), 2: ("CONTRIBUTED", HASH_A)}
    pool.read(task, "REVEALING", contributions, winners=2, reveals=1, value=HASH_A)
    assert pool.statuses(2, task)[-1] == "FAILED"
    assert pool.replicate(2, task).history[-1].cause is C.REVEAL_TIMEOUT
    assert pool.status(task) == "FINALIZING"


def unrevealed(pool):
    """A task whose only winner let the reveal deadline pass, and the chain said so."""
    task = pool.to_consensus(1)
    pool.connect(2)
    alive(pool, 2 * T + 1, 1, 2)
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
    alive(pool, 7 * T + 1, 1)
    pool.read(task, "REVEALING", {1: ("CONTRIBUTED", HASH_A)}, winners=1, value=HASH_A)
    assert pool.status(task) == "CONSENSUS_REACHED"


def test_trap_a_timed_out_task_does_not_run_again(pool):
    pool.connect(1)
    task = pool.ready()
    alive(pool, 7 * T + 1, 1)
    pool.read(task, "ACTIVE")
    pool.report(1, task, R.STARTING, R.STARTED)
    assert pool.status(task) == "FAILED"


def test_a_read_asked_before_the_deadline_does_not_judge_it(pool):
    pool.connect(1)
    task = pool.ready()
    alive(pool, 7 * T + 1, 1)
    early = e.TaskRead(task, pool.block, pool.chain_task(task), {}, pool.now - 10)
    assert [x for x in pool.handle(early) if isinstance(x, d.ReadTask)]
    assert pool.status(task) == "INITIALIZED"


def test_trap_contribute_on_a_caf_eligible_task_goes_the_standard_way(pool):
    task = enclave(pool, 1)
    pool.report(1, task, R.STARTING, R.STARTED, R.APP_DOWNLOADING)
    pool.report(1, task, R.APP_DOWNLOAD_FAILED, cause=C.APP_IMAGE_DOWNLOAD_FAILED)
    pool.report(1, task, R.CONTRIBUTING)
    pool.contribute(1, task, HASH_A, consensus=True)
    assert pool.status(task) == "CONSENSUS_REACHED"
    assert pool.commands(1) == ["REVEAL"]


def test_trap_running_failed_wants_at_least_one_living_worker(pool):
    task = enclave(pool, 1)
    pool.report(1, task, R.STARTING, R.STARTED)
    pool.cut(1)
    pool.wait(120)
    assert pool.status(task) == "RUNNING"
    pool.restart()
    assert pool.status(task) == "RUNNING"


def test_trap_an_upload_request_that_was_lost_times_out(pool):
    task = pool.to_upload(1)
    alive(pool, 121, 1)
    pool.handle(e.ResultChecked(task, False))
    assert pool.commands(1) == ["REVEAL", "UPLOAD", "UPLOAD"]
    assert pool.status(task) == "RESULT_UPLOADING"


def test_trap_a_failed_upload_asks_another_worker_at_once(pool):
    task = pool.to_upload(1, 2, trust=3)
    first = uploader(pool, task)
    pool.report(first, task, R.RESULT_UPLOADING, R.RESULT_UPLOAD_FAILED)
    pool.handle(e.ResultChecked(task, False))
    assert uploader(pool, task) != first


def test_the_last_uploader_gets_a_second_chance(pool):
    task = pool.to_upload(1)
    pool.report(1, task, R.RESULT_UPLOADING, R.RESULT_UPLOAD_FAILED)
    pool.handle(e.ResultChecked(task, False))
    assert pool.statuses(1, task)[-1] == "RESULT_UPLOAD_FAILED"
    alive(pool, 121, 1)
    pool.handle(e.ResultChecked(task, False))
    assert pool.commands(1)[-1] == "UPLOAD"
    pool.report(1, task, R.RESULT_UPLOADED, result_link=LINK)
    pool.handle(e.ResultChecked(task, True))
    assert pool.status(task) == "FINALIZING"


@pytest.mark.parametrize("chain", ["ACTIVE", "REVEALING"])
def test_a_reconciliation_reads_every_live_task(pool, chain):
    first = pool.to_consensus(1) if chain == "REVEALING" else pool.ready()
    pool.effects.clear()
    pool.handle(e.ReconcileDue())
    assert pool.sent(d.ReadTask, task_id=first)
