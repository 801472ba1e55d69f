"""How tasks advance to their end: acceptance scenarios 30-32 and 35-37 of core spec §13."""

import pytest
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_poco.protocol.statuses import ReplicateStatus as R
from workerpool_poco.protocol.statuses import ReplicateStatusCause as C

SCONE = "0x" + f"{3:064x}"
T = 300
HASH_A, HASH_B = "0x" + "aa" * 32, "0x" + "bb" * 32
LINK = '{"storage":"ipfs","location":"/results/0x"}'
K = e.TransactionKind


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
    pool.live(2 * T + 1, 1, 2, 3)
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


def test_s36_two_answers_to_one_request_are_one_refusal(pool):
    task = pool.to_finalizing(1)
    chain = {"contributions": {1: ("PROVED", HASH_A)}, "winners": 1, "reveals": 1, "value": HASH_A}
    for _ in range(3):
        pool.handle(e.TransactionAnswered(task, K.FINALIZE, False, reason="reverted"))
        pool.read(task, "REVEALING", **chain)
    assert pool.status(task) == "FINALIZING"


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


@pytest.mark.parametrize("chain", ["ACTIVE", "REVEALING"])
def test_a_reconciliation_reads_every_live_task(pool, chain):
    first = pool.to_consensus(1) if chain == "REVEALING" else pool.ready()
    pool.effects.clear()
    pool.handle(e.ReconcileDue())
    assert pool.sent(d.ReadTask, task_id=first)
