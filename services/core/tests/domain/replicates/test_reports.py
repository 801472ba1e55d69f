"""Status reports and their answers: acceptance scenarios 19-29 of core spec §13."""

from typing import Any

import pytest
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.model import Action, Modifier, Receipt
from workerpool_core.domain.replicates import reports
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus as R
from workerpool_poco.protocol.statuses import ReplicateStatusCause as C

from services.core.tests.doubles.scripted_pool import ScriptedPool

SCONE = "0x" + f"{3:064x}"
HASH_A = "0x" + "aa" * 32
LINK = '{"storage":"ipfs","location":"/results/0x"}'
ACCEPTED, KNOWN, REFUSED = d.UpdateOutcome


def outcome(answers: Any) -> Any:
    return [(a.outcome, a.action) for a in answers]


def computing(pool: ScriptedPool, number: int = 1, **deal: Any) -> TaskId:
    """Return a task whose worker reported every status up to COMPUTING."""
    pool.connect(number, sgx=True)
    task = pool.ready(**deal)
    if "tag" in deal:
        pool.handle(e.EnclaveChallengeAnswered(task, "0xChallenge", "https://sms"))
    pool.report(number, task, R.STARTING, R.STARTED, R.APP_DOWNLOADING, R.APP_DOWNLOADED)
    pool.report(number, task, R.DATA_DOWNLOADING, R.DATA_DOWNLOADED, R.COMPUTING)
    return task


def test_s19_each_status_of_the_standard_path_gets_the_protocols_answer(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready()
    expected = [
        (R.STARTING, Action.CONTINUE),
        (R.STARTED, Action.DOWNLOAD_APP),
        (R.APP_DOWNLOADING, Action.CONTINUE),
        (R.APP_DOWNLOADED, Action.DOWNLOAD_DATA),
        (R.DATA_DOWNLOADING, Action.CONTINUE),
        (R.DATA_DOWNLOADED, Action.COMPUTE),
        (R.COMPUTING, Action.CONTINUE),
        (R.COMPUTED, Action.CONTRIBUTE),
        (R.CONTRIBUTING, Action.CONTINUE),
    ]
    for status, action in expected:
        assert outcome(pool.report(1, task, status)) == [(ACCEPTED, action)]


def test_s19_several_updates_in_one_report_are_one_write(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready()
    updates = tuple(e.Update(n, task, status) for n, status in enumerate((R.STARTING, R.STARTED), 1))
    answer = pool.scheduler.handle(e.StatusReported("0xWorker1", "1-1", updates), pool.now)
    changes = [w for w in answer.writes if isinstance(w, d.ReplicateChanged)]
    assert [[c.status for c in write.changes] for write in changes] == [[R.STARTING, R.STARTED]]


def test_s20_a_repeated_status_is_already_known(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready()
    pool.report(1, task, R.STARTING)
    assert outcome(pool.report(1, task, R.STARTING)) == [(KNOWN, Action.WAIT)]
    assert pool.statuses(1, task) == ["CREATED", "STARTING"]


def test_s20_a_repeated_sequence_gets_the_same_answer(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready()
    pool.report(1, task, R.STARTING)
    pool.report(1, task, R.COMPUTED)
    for sequence, answer in ((1, KNOWN), (2, REFUSED)):
        event = e.StatusReported("0xWorker1", "1-1", (e.Update(sequence, task, R.COMPUTING),))
        (again,) = pool.handle(event)
        assert isinstance(again, d.AnswerUpdate)
        assert (again.sequence, again.outcome) == (sequence, answer)
    assert pool.statuses(1, task) == ["CREATED", "STARTING"]


def test_s21_an_illegal_jump_is_refused(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready()
    (answer,) = pool.report(1, task, R.COMPUTED)
    assert (answer.outcome, answer.action) == (REFUSED, Action.ABORT)
    assert answer.reason == "BAD_WORKFLOW_TRANSITION"


@pytest.mark.parametrize("status", [R.WORKER_LOST, R.RECOVERING, R.FAILED, R.RESULT_UPLOAD_REQUESTED])
def test_s21_a_worker_cannot_set_the_schedulers_statuses(pool: ScriptedPool, status: Any) -> None:
    pool.connect(1)
    task = pool.ready()
    assert outcome(pool.report(1, task, status)) == [(REFUSED, Action.ABORT)]


def test_s21_a_report_on_the_replicate_of_another_worker_is_refused(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready()
    pool.connect(2)
    (answer,) = pool.report(2, task, R.STARTING)
    assert (answer.outcome, answer.reason) == (REFUSED, "UNKNOWN_REPLICATE")
    (answer,) = pool.report(2, TaskId("0x" + "99" * 32), R.STARTING)
    assert (answer.outcome, answer.reason) == (REFUSED, "UNKNOWN_REPLICATE")


def test_s21_reports_of_an_older_session_are_ignored(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready()
    pool.connect(1)
    assert pool.handle(e.StatusReported("0xWorker1", "1-1", (e.Update(1, task, R.STARTING),))) == []


def test_a_refusal_has_a_message_for_operators(pool: ScriptedPool) -> None:
    task = computing(pool)
    unknown = pool.report(1, TaskId("0x" + "99" * 32), R.STARTED)
    illegal = pool.report(1, task, R.REVEALING)
    accepted = pool.report(1, task, R.COMPUTED)
    assert [(answer.reason, bool(answer.message)) for (answer,) in (unknown, illegal, accepted)] == [
        ("UNKNOWN_REPLICATE", True),
        ("BAD_WORKFLOW_TRANSITION", True),
        ("", False),
    ]


def contributing(pool: ScriptedPool, number: int = 1, **deal: Any) -> TaskId:
    task = computing(pool, number, **deal)
    pool.report(number, task, R.COMPUTED, R.CONTRIBUTING)
    return task


def test_s22_contributed_without_a_contribution_on_chain_is_refused_after_the_time_limit(
    pool: ScriptedPool,
) -> None:
    task = contributing(pool)
    assert pool.report(1, task, R.CONTRIBUTED, receipt=Receipt(10, "0xlie")) == []
    pool.read(task, "ACTIVE", {1: ("UNSET", HASH_A)})
    for _ in range(10):
        pool.wait(10)
        pool.beat(1)
        pool.read(task, "ACTIVE", {1: ("UNSET", HASH_A)})
    (answer,) = pool.sent(d.AnswerUpdate, outcome=REFUSED)
    assert (answer.action, answer.reason) == (Action.ABORT, "GENERIC_CANT_UPDATE")


def test_s22_contributed_is_accepted_before_its_log_once_the_chain_was_read(pool: ScriptedPool) -> None:
    task = contributing(pool)
    assert pool.report(1, task, R.CONTRIBUTED, receipt=Receipt(11, "0xtx")) == []
    pool.read(task, "ACTIVE", {1: ("CONTRIBUTED", HASH_A)})
    (answer,) = [a for a in pool.last if isinstance(a, d.AnswerUpdate)]
    assert (answer.outcome, answer.action) == (ACCEPTED, Action.WAIT)
    assert pool.replicate(1, task).contribution_hash == HASH_A
    assert pool.replicate(1, task).history[-1].modifier is Modifier.WORKER


def test_s22_contributed_is_already_known_after_its_log(pool: ScriptedPool) -> None:
    task = contributing(pool)
    pool.contribute(1, task)
    assert outcome(pool.report(1, task, R.CONTRIBUTED)) == [(KNOWN, Action.WAIT)]


def test_s22_a_pending_report_is_answered_after_the_log(pool: ScriptedPool) -> None:
    task = contributing(pool)
    pool.report(1, task, R.CONTRIBUTED)
    pool.contribute(1, task)
    (answer,) = [a for a in pool.last if isinstance(a, d.AnswerUpdate)]
    assert answer.outcome is KNOWN


def test_s22_the_block_of_a_worker_is_ignored(pool: ScriptedPool) -> None:
    task = contributing(pool)
    pool.report(1, task, R.CONTRIBUTED, receipt=Receipt(2**62, "0xtx"))
    other = pool.ready()
    assert outcome(pool.report(1, other, R.STARTING)) == [(ACCEPTED, Action.CONTINUE)]
    pool.read(task, "ACTIVE", {1: ("CONTRIBUTED", HASH_A)})
    assert pool.replicate(1, task).history[-1].receipt == Receipt(0, "0xtx")


def test_updates_after_a_pending_report_queue_behind_it(pool: ScriptedPool) -> None:
    task = contributing(pool)
    assert pool.report(1, task, R.CONTRIBUTED, R.REVEALING) == []
    pool.contribute(1, task)
    answers = [a for a in pool.last if isinstance(a, d.AnswerUpdate)]
    assert outcome(answers) == [(KNOWN, Action.WAIT), (ACCEPTED, Action.CONTINUE)]


@pytest.mark.parametrize(
    ("status", "cause", "action"),
    [
        (R.APP_DOWNLOAD_FAILED, C.APP_IMAGE_DOWNLOAD_FAILED, Action.WAIT),
        (R.DATA_DOWNLOAD_FAILED, C.DATASET_FILE_DOWNLOAD_FAILED, Action.WAIT),
        (R.DATA_DOWNLOAD_FAILED, C.DATASET_FILE_BAD_CHECKSUM, Action.WAIT),
        (R.DATA_DOWNLOAD_FAILED, C.INPUT_FILES_DOWNLOAD_FAILED, Action.WAIT),
        (R.DATA_DOWNLOAD_FAILED, C.HOST_FAILED, Action.ABORT),
    ],
)
def test_s23_failed_downloads_are_contributed_or_aborted_by_their_cause(
    pool: ScriptedPool, status: Any, cause: Any, action: Any
) -> None:
    pool.connect(1)
    task = pool.ready()
    pool.report(1, task, R.STARTING, R.STARTED, R.APP_DOWNLOADING)
    if status is R.DATA_DOWNLOAD_FAILED:
        pool.report(1, task, R.APP_DOWNLOADED, R.DATA_DOWNLOADING)
    assert outcome(pool.report(1, task, status, cause=cause)) == [(ACCEPTED, action)]
    assert pool.commands(1) == (["CONTRIBUTE"] if action is Action.WAIT else [])
    if action is Action.WAIT:
        assert outcome(pool.report(1, task, R.CONTRIBUTING)) == [(ACCEPTED, Action.CONTINUE)]


def test_s24_a_standard_task_is_contributed(pool: ScriptedPool) -> None:
    standard = computing(pool, 1)
    assert outcome(pool.report(1, standard, R.COMPUTED)) == [(ACCEPTED, Action.CONTRIBUTE)]


def test_s24_an_eligible_enclave_task_uses_contribute_and_finalize(pool: ScriptedPool) -> None:
    task = computing(pool, tag=SCONE)
    assert outcome(pool.report(1, task, R.COMPUTED)) == [(ACCEPTED, Action.CONTRIBUTE_AND_FINALIZE)]


def caf_ongoing(pool: ScriptedPool) -> TaskId:
    task = computing(pool, tag=SCONE)
    pool.report(1, task, R.COMPUTED, R.CONTRIBUTE_AND_FINALIZE_ONGOING)
    return task


def test_s25_caf_done_is_refused_unless_revealed_and_completed_on_chain(pool: ScriptedPool) -> None:
    task = caf_ongoing(pool)
    pool.report(1, task, R.CONTRIBUTE_AND_FINALIZE_DONE)
    for _ in range(10):
        pool.wait(10)
        pool.beat(1)
        pool.read(task, "ACTIVE", {1: ("UNSET", HASH_A)})
    assert pool.sent(d.AnswerUpdate, outcome=REFUSED)


def test_s25_caf_done_is_accepted_when_the_chain_completed_the_task(pool: ScriptedPool) -> None:
    task = caf_ongoing(pool)
    pool.report(1, task, R.CONTRIBUTE_AND_FINALIZE_DONE)
    pool.read(task, "COMPLETED", {1: ("PROVED", HASH_A)})
    assert [a.outcome for a in pool.last if isinstance(a, d.AnswerUpdate)] == [ACCEPTED]
    assert pool.status(task) == "COMPLETED"
    assert pool.replicate(1, task).result_link == LINK


def test_s26_result_uploaded_is_refused_without_link_or_when_the_proxy_does_not_have_it(
    pool: ScriptedPool,
) -> None:
    task = pool.to_upload(1)
    pool.report(1, task, R.RESULT_UPLOADING)
    assert pool.report(1, task, R.RESULT_UPLOADED, result_link=LINK) == []
    assert pool.sent(d.CheckResult, task_id=task)
    pool.handle(e.ResultChecked(task, False))
    assert [a.outcome for a in pool.last if isinstance(a, d.AnswerUpdate)] == [REFUSED]
    assert pool.report(1, task, R.RESULT_UPLOADED, result_link="") == []
    pool.handle(e.ResultChecked(task, None))
    assert pool.status(task) == "RESULT_UPLOADING"


@pytest.mark.parametrize(
    ("deal", "details"),
    [
        ({"callback": "0xCallback"}, {"callback_data": "0x01"}),
    ],
)
def test_s26_the_proxy_is_not_asked_about_results_stored_elsewhere(
    pool: ScriptedPool, deal: Any, details: Any
) -> None:
    task = pool.to_upload(1, **deal)
    pool.report(1, task, R.RESULT_UPLOADING)
    assert outcome(pool.report(1, task, R.RESULT_UPLOADED, **details)) == [(ACCEPTED, Action.WAIT)]
    assert not pool.sent(d.CheckResult)
    assert pool.status(task) == "FINALIZING"


def test_s26_a_callback_result_without_data_is_refused(pool: ScriptedPool) -> None:
    task = pool.to_upload(1, callback="0xCallback")
    pool.report(1, task, R.RESULT_UPLOADING)
    assert outcome(pool.report(1, task, R.RESULT_UPLOADED)) == [(REFUSED, Action.ABORT)]


def test_s27_logs_are_stored_for_the_reporting_wallet(pool: ScriptedPool) -> None:
    task = computing(pool)
    pool.report(1, task, R.COMPUTED, stdout="out", stderr="err", exit_code=0)
    assert pool.ledger.logs == {(task, "0xWorker1"): ("out", "err")}
    assert pool.replicate(1, task).logs_present
    assert pool.replicate(1, task).exit_code == 0


def test_s27_logs_of_a_failed_computation_are_stored_only_if_the_app_failed(pool: ScriptedPool) -> None:
    for number, cause in ((1, C.APP_COMPUTE_FAILED), (2, C.PRE_COMPUTE_TIMEOUT)):
        pool.connect(number, slots=1)
        task = pool.ready()
        pool.report(number, task, R.STARTING, R.STARTED, R.APP_DOWNLOADING, R.APP_DOWNLOADED)
        pool.report(number, task, R.DATA_DOWNLOADING, R.DATA_DOWNLOADED, R.COMPUTING)
        pool.report(number, task, R.COMPUTE_FAILED, cause=cause, stdout="out")
        assert ((task, f"0xWorker{number}") in pool.ledger.logs) is (cause is C.APP_COMPUTE_FAILED)
        pool.handle(e.WorkerDrained(f"0xWorker{number}", float("inf")))


@pytest.mark.parametrize(
    "statuses",
    [
        (R.STARTING, R.START_FAILED),
        (R.STARTING, R.STARTED, R.APP_DOWNLOADING, R.APP_DOWNLOAD_FAILED),
    ],
)
def test_s28_a_slot_is_free_again_after_an_early_failure(pool: ScriptedPool, statuses: Any) -> None:
    pool.connect(1)
    task = pool.ready()
    assert pool.scheduler.workers["0xWorker1"].computing == {task}
    pool.report(1, task, *statuses)
    assert pool.scheduler.workers["0xWorker1"].computing == set()


def test_s28_a_slot_is_free_at_computed_and_the_task_leaves_the_worker_at_completed(
    pool: ScriptedPool,
) -> None:
    task = computing(pool)
    assert pool.scheduler.workers["0xWorker1"].computing == {task}
    pool.report(1, task, R.COMPUTED)
    assert pool.scheduler.workers["0xWorker1"].computing == set()
    assert pool.scheduler.workers["0xWorker1"].held == {task}
    pool.report(1, task, R.CONTRIBUTING)
    pool.contribute(1, task, consensus=True)
    pool.reveal(1, task)
    pool.upload(1, task)
    pool.mine(pool.log("FINALIZE", task, value="0x"))
    pool.report(1, task, R.COMPLETING, R.COMPLETED)
    assert pool.scheduler.workers["0xWorker1"].held == set()


def test_s29_of_two_reports_of_one_status_only_the_first_is_recorded(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready()
    assert outcome(pool.report(1, task, R.STARTING, R.STARTING)) == [
        (ACCEPTED, Action.CONTINUE),
        (KNOWN, Action.WAIT),
    ]
    assert pool.statuses(1, task) == ["CREATED", "STARTING"]


def test_a_report_of_an_unknown_worker_is_ignored(context: EventContext) -> None:
    update = e.Update(1, TaskId("0x1"), R.STARTING)
    reports.reported(context, e.StatusReported("0xUnknown", "1", (update,)))
    assert (context.writes, context.effects) == ([], [])
