"""Recovery of workers, core and chain: acceptance scenarios 40-45 of core spec §13."""

from collections.abc import Callable
from typing import Any

import pytest
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.live import LiveWorker
from workerpool_core.domain.model import Modifier, Receipt
from workerpool_core.domain.workers import session_resume
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus as R

from services.core.tests.doubles.scripted_pool import ScriptedPool

SCONE = "0x" + f"{3:064x}"
T = 300
HASH_A, HASH_B = "0x" + "aa" * 32, "0x" + "bb" * 32
K = e.TransactionKind


def held(task: TaskId, status: Any, available: Any = True) -> tuple[e.HeldReplicate, ...]:
    return (e.HeldReplicate(task, status, available, 0),)


def computed(pool: ScriptedPool, *, status: Any = R.COMPUTED) -> TaskId:
    pool.connect(1)
    task = pool.ready()
    pool.compute(1, task)
    if status is R.CONTRIBUTING:
        pool.report(1, task, R.CONTRIBUTING)
    return task


def test_s40_a_contribution_of_a_crashed_worker_is_recorded_with_its_receipt(pool: ScriptedPool) -> None:
    task = computed(pool, status=R.CONTRIBUTING)
    pool.cut(1)
    pool.contribute(1, task)
    last = pool.replicate(1, task).history[-1]
    assert (last.status, last.modifier) == (R.CONTRIBUTED, Modifier.POOL_MANAGER)
    assert last.receipt == Receipt(pool.block, "0xtxCONTRIBUTE1")


def test_s40_a_reveal_of_a_crashed_worker_is_recorded(pool: ScriptedPool) -> None:
    task = pool.to_consensus(1)
    pool.report(1, task, R.REVEALING)
    pool.cut(1)
    pool.reveal(1, task)
    assert pool.statuses(1, task)[-3:-1] == ["REVEALING", "REVEALED"]
    assert pool.status(task) == "RESULT_UPLOADING"


def test_s41_missing_statuses_are_filled_in(pool: ScriptedPool) -> None:
    task = pool.to_started(1)
    pool.contribute(1, task)
    assert pool.statuses(1, task) == [
        "CREATED",
        "STARTING",
        "STARTED",
        "APP_DOWNLOADING",
        "APP_DOWNLOADED",
        "DATA_DOWNLOADING",
        "DATA_DOWNLOADED",
        "COMPUTING",
        "COMPUTED",
        "CONTRIBUTING",
        "CONTRIBUTED",
    ]


def test_s41_the_reconciliation_finds_a_contribution_without_a_log(pool: ScriptedPool) -> None:
    task = computed(pool)
    pool.handle(e.ReconcileDue())
    pool.read(task, "REVEALING", {1: ("CONTRIBUTED", HASH_A)}, winners=1, value=HASH_A)
    assert pool.statuses(1, task)[-2:] == ["CONTRIBUTING", "CONTRIBUTED"]
    assert pool.commands(1) == ["REVEAL"]


def test_s41_the_reconciliation_finds_a_contribute_and_finalize(pool: ScriptedPool) -> None:
    pool.connect(1, sgx=True)
    task = pool.ready(tag=SCONE)
    pool.handle(e.EnclaveChallengeAnswered(task, "0xChallenge", "https://sms"))
    pool.compute(1, task)
    pool.read(task, "COMPLETED", {1: ("PROVED", HASH_A)})
    assert pool.statuses(1, task)[-1] == "CONTRIBUTE_AND_FINALIZE_DONE"
    assert pool.status(task) == "COMPLETED"


@pytest.mark.parametrize("gone", [R.ABORTED, R.CONTRIBUTE_FAILED])
def test_a_worker_that_gave_up_is_asked_to_reveal_its_mined_contribution(
    pool: ScriptedPool, gone: Any
) -> None:
    task = computed(pool, status=R.CONTRIBUTING)
    pool.report(1, task, gone)
    pool.contribute(1, task, consensus=True)
    assert pool.statuses(1, task)[-2:] == [gone.value, "CONTRIBUTED"]
    assert pool.commands(1) == ["REVEAL"]


def hello(pool: ScriptedPool, task: TaskId, status: Any, available: Any = True) -> Any:
    """Restart worker 1; return its commands since, and whether it got an assignment."""
    pool.cut(1)
    pool.effects.clear()
    pool.connect(1, held=held(task, status, available))
    return [(c.command.action.value, c.resume) for c in pool.sent(d.SendCommand)]


@pytest.mark.parametrize("status", [R.COMPUTED, R.CONTRIBUTING])
def test_s43_a_returning_worker_without_a_contribution_on_chain_is_commanded_to_contribute(
    pool: ScriptedPool, status: Any
) -> None:
    task = computed(pool, status=status)
    assert hello(pool, task, status) == [("CONTRIBUTE", True)]
    assert pool.statuses(1, task)[-1] == "RECOVERING"


def test_s43_a_returning_worker_without_a_result_gets_its_assignment_again(pool: ScriptedPool) -> None:
    task = pool.to_started(1)
    assert hello(pool, task, R.STARTED, available=False) == []
    assert pool.sent(d.Assign, wallet="0xWorker1", task_id=task)


def test_s43_an_unacknowledged_assignment_is_resent(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready()
    pool.cut(1)
    pool.effects.clear()
    pool.connect(1)
    assert pool.sent(d.Assign, task_id=task)
    pool.effects.clear()
    pool.wait(41)
    assert pool.sent(d.Assign, task_id=task)


def test_s43_an_eligible_enclave_task_is_commanded_to_contribute_and_finalize(pool: ScriptedPool) -> None:
    pool.connect(1, sgx=True)
    task = pool.ready(tag=SCONE)
    pool.handle(e.EnclaveChallengeAnswered(task, "0xChallenge", "https://sms"))
    pool.compute(1, task)
    pool.report(1, task, R.CONTRIBUTE_AND_FINALIZE_ONGOING)
    assert hello(pool, task, R.CONTRIBUTE_AND_FINALIZE_ONGOING) == [("CONTRIBUTE_AND_FINALIZE", True)]


def test_s43_a_returning_contributor_waits_without_a_consensus(pool: ScriptedPool) -> None:
    pool.connect_all(1, 2, 3)
    task = pool.ready(trust=5)
    pool.compute(1, task)
    pool.contribute(1, task)
    assert hello(pool, task, R.CONTRIBUTED) == []


def test_s43_a_returning_worker_that_did_not_win_is_commanded_to_abort(pool: ScriptedPool) -> None:
    task = pool.to_computed(1, 2, 3, trust=5)
    pool.contribute(2, task)
    pool.contribute(3, task, consensus=True)
    pool.handle(
        e.CommandAcknowledged("0xWorker1", pool.sent(d.SendCommand, wallet="0xWorker1")[0].command.sequence)
    )
    assert hello(pool, task, R.COMPUTED) == [("ABORT", False)]


@pytest.mark.parametrize("status", [R.CONTRIBUTED, R.REVEALING])
def test_s43_a_returning_winner_is_commanded_to_reveal(pool: ScriptedPool, status: Any) -> None:
    task = pool.to_consensus(1)
    if status is R.REVEALING:
        pool.report(1, task, R.REVEALING)
    pool.acknowledge(1)
    assert hello(pool, task, status) == [("REVEAL", True)]
    assert pool.sent(d.SendCommand)[0].command.block == pool.block


def test_s43_a_returning_worker_waits_after_its_reveal(pool: ScriptedPool) -> None:
    task = pool.to_consensus(1, 2, trust=3)
    pool.reveal(2, task)
    pool.report(1, task, R.REVEALING)
    pool.reveal(1, task)
    pool.acknowledge(1)
    assert hello(pool, task, R.REVEALING) == []


@pytest.mark.parametrize("status", [R.RESULT_UPLOAD_REQUESTED, R.RESULT_UPLOADING])
def test_s43_a_returning_uploader_is_commanded_to_upload(pool: ScriptedPool, status: Any) -> None:
    task = pool.to_upload(1)
    if status is R.RESULT_UPLOADING:
        pool.report(1, task, R.RESULT_UPLOADING)
    pool.acknowledge(1)
    assert hello(pool, task, status) == [("UPLOAD", True)]


def test_s43_an_archive_in_the_proxy_counts_as_delivered(pool: ScriptedPool) -> None:
    task = pool.to_upload(1)
    pool.report(1, task, R.RESULT_UPLOADING)
    pool.acknowledge(1)
    hello(pool, task, R.RESULT_UPLOADING)
    assert pool.sent(d.CheckResult, task_id=task)
    pool.handle(e.ResultChecked(task, True, "/results/x"))
    assert pool.statuses(1, task)[-1] == "RESULT_UPLOADED"
    assert pool.status(task) == "FINALIZING"


def test_s43_a_returning_worker_waits_after_its_upload(pool: ScriptedPool) -> None:
    task = pool.to_finalizing(1)
    pool.acknowledge(1)
    assert hello(pool, task, R.RESULT_UPLOADED) == []


def test_s43_a_returning_worker_of_a_completed_task_is_commanded_to_complete(pool: ScriptedPool) -> None:
    task = pool.to_finalizing(1)
    pool.mine(pool.log("FINALIZE", task, value="0x"))
    pool.acknowledge(1)
    assert hello(pool, task, R.RESULT_UPLOADED) == [("COMPLETE", False)]


def test_s43_an_unknown_replicate_is_dropped(pool: ScriptedPool) -> None:
    pool.connect(1, held=held(TaskId("0x" + "99" * 32), R.COMPUTED))
    assert pool.sent(d.Welcome)[0].dropped == ("0x" + "99" * 32,)


def test_commands_are_sent_on_every_connection_until_acknowledged(pool: ScriptedPool) -> None:
    task = pool.to_consensus(1)
    (first,) = pool.sent(d.SendCommand)
    pool.restart()
    pool.effects.clear()
    pool.connect(1, held=held(task, R.CONTRIBUTED))
    assert [c.command for c in pool.sent(d.SendCommand)] == [first.command]
    pool.handle(e.CommandAcknowledged("0xWorker1", first.command.sequence))
    assert not pool.ledger.commands


def test_command_sequences_rise_across_restarts(pool: ScriptedPool) -> None:
    task = pool.to_consensus(1)
    pool.acknowledge(1)
    first = pool.sent(d.SendCommand)[-1].command.sequence
    pool.restart()
    pool.connect(1, held=(e.HeldReplicate(task, R.CONTRIBUTED, True, first + 5),))
    assert pool.sent(d.SendCommand)[-1].command.sequence > first + 5


@pytest.mark.parametrize("stage", range(8))
def test_s44_a_task_completes_after_a_restart_of_core_at_any_status(pool: ScriptedPool, stage: Any) -> None:
    pool.connect(1)
    steps = iter(range(8))

    def restart_at(status: Any) -> None:
        if next(steps) == stage:
            pool.restart()
            pool.connect(1, held=held(task, status) if status else ())

    (task,) = pool.deal()
    restart_at(None)
    pool.mine(pool.log("INITIALIZE", task))
    restart_at(None)
    pool.compute(1, task)
    restart_at(R.COMPUTED)
    pool.contribute(1, task, consensus=True)
    restart_at(R.CONTRIBUTED)
    pool.reveal(1, task)
    restart_at(R.REVEALED)
    pool.report(1, task, R.RESULT_UPLOADING)
    restart_at(R.RESULT_UPLOADING)
    pool.report(1, task, R.RESULT_UPLOADED, result_link="link")
    pool.handle(e.ResultChecked(task, True))
    restart_at(R.RESULT_UPLOADED)
    assert pool.sent(d.RequestTransaction, kind=K.FINALIZE)
    restart_at(R.RESULT_UPLOADED)
    pool.handle(e.TransactionAnswered(task, K.FINALIZE, True, 99))
    assert pool.status(task) == "COMPLETED"


def test_s45_events_are_handled_one_by_one_in_order(pool: ScriptedPool) -> None:
    task = pool.to_upload(1)
    outcome = pool.scheduler.handle(
        e.StatusReported("0xWorker1", pool.sessions["0xWorker1"], (e.Update(99, task, R.RESULT_UPLOADING),)),
        pool.now,
    )
    assert isinstance(outcome.writes[0], d.ReplicateChanged)
    assert isinstance(outcome.effects[0], d.AnswerUpdate)


def test_a_worker_drops_the_replicates_that_the_pool_does_not_know(
    context: EventContext, add_worker: Callable[..., LiveWorker]
) -> None:
    unknown = e.HeldReplicate(TaskId("0x1"), R.COMPUTING, False, 0)
    assert session_resume.resume(context, add_worker(), (unknown,)) == ("0x1",)
