"""What workers report and what they are answered: acceptance scenarios 19-29 of core spec §13."""

import pytest
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.model import Action, Modifier, Receipt
from workerpool_poco.protocol.statuses import ReplicateStatus as R
from workerpool_poco.protocol.statuses import ReplicateStatusCause as C

SCONE = "0x" + f"{3:064x}"
HASH_A = "0x" + "aa" * 32
LINK = '{"storage":"ipfs","location":"/results/0x"}'
ACCEPTED, KNOWN, REFUSED = d.UpdateOutcome


def outcome(answers):
    return [(a.outcome, a.action) for a in answers]


def computing(pool, number=1, **deal):
    """A worker that reported everything up to COMPUTING."""
    pool.connect(number, sgx=True)
    task = pool.ready(**deal)
    if "tag" in deal:
        pool.handle(e.EnclaveChallengeAnswered(task, "0xChallenge", "https://sms"))
    pool.report(number, task, R.STARTING, R.STARTED, R.APP_DOWNLOADING, R.APP_DOWNLOADED)
    pool.report(number, task, R.DATA_DOWNLOADING, R.DATA_DOWNLOADED, R.COMPUTING)
    return task


def test_s19_the_happy_path_is_answered_as_the_protocol_says(pool):
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


def test_s19_reports_may_come_several_at_once_and_are_one_write(pool):
    pool.connect(1)
    task = pool.ready()
    updates = tuple(e.Update(n, task, status) for n, status in enumerate((R.STARTING, R.STARTED), 1))
    answer = pool.scheduler.handle(e.StatusReported("0xWorker1", "1-1", updates), pool.now)
    changes = [w for w in answer.writes if isinstance(w, d.ReplicateChanged)]
    assert [[c.status for c in write.changes] for write in changes] == [[R.STARTING, R.STARTED]]


def test_s20_the_same_status_twice_is_known_already(pool):
    pool.connect(1)
    task = pool.ready()
    pool.report(1, task, R.STARTING)
    assert outcome(pool.report(1, task, R.STARTING)) == [(KNOWN, Action.WAIT)]
    assert pool.statuses(1, task) == ["CREATED", "STARTING"]


def test_s20_the_same_sequence_twice_is_answered_again(pool):
    pool.connect(1)
    task = pool.ready()
    pool.report(1, task, R.STARTING)
    pool.report(1, task, R.COMPUTED)
    for sequence, answer in ((1, KNOWN), (2, REFUSED)):
        event = e.StatusReported("0xWorker1", "1-1", (e.Update(sequence, task, R.COMPUTING),))
        (again,) = pool.handle(event)
        assert (again.sequence, again.outcome) == (sequence, answer)
    assert pool.statuses(1, task) == ["CREATED", "STARTING"]


def test_s21_an_illegal_jump_is_refused(pool):
    pool.connect(1)
    task = pool.ready()
    (answer,) = pool.report(1, task, R.COMPUTED)
    assert (answer.outcome, answer.action) == (REFUSED, Action.ABORT)
    assert answer.reason == "BAD_WORKFLOW_TRANSITION"


@pytest.mark.parametrize("status", [R.WORKER_LOST, R.RECOVERING, R.FAILED, R.RESULT_UPLOAD_REQUESTED])
def test_s21_a_worker_cannot_set_the_schedulers_statuses(pool, status):
    pool.connect(1)
    task = pool.ready()
    assert outcome(pool.report(1, task, status)) == [(REFUSED, Action.ABORT)]


def test_s21_a_worker_cannot_touch_what_is_not_its_own(pool):
    pool.connect(1)
    task = pool.ready()
    pool.connect(2)
    (answer,) = pool.report(2, task, R.STARTING)
    assert (answer.outcome, answer.reason) == (REFUSED, "UNKNOWN_REPLICATE")
    (answer,) = pool.report(2, "0x" + "99" * 32, R.STARTING)
    assert (answer.outcome, answer.reason) == (REFUSED, "UNKNOWN_REPLICATE")


def test_s21_an_old_session_is_not_heard(pool):
    pool.connect(1)
    task = pool.ready()
    pool.connect(1)
    assert pool.handle(e.StatusReported("0xWorker1", "1-1", (e.Update(1, task, R.STARTING),))) == []


def test_a_refusal_says_why_to_people_too(pool):
    task = computing(pool)
    unknown = pool.report(1, "0x" + "99" * 32, R.STARTED)
    illegal = pool.report(1, task, R.REVEALING)
    accepted = pool.report(1, task, R.COMPUTED)
    assert [(answer.reason, bool(answer.message)) for (answer,) in (unknown, illegal, accepted)] == [
        ("UNKNOWN_REPLICATE", True),
        ("BAD_WORKFLOW_TRANSITION", True),
        ("", False),
    ]


def contributing(pool, number=1, **deal):
    task = computing(pool, number, **deal)
    pool.report(number, task, R.COMPUTED, R.CONTRIBUTING)
    return task


def test_s22_contributed_without_a_contribution_on_chain_is_refused_after_a_while(pool):
    task = contributing(pool)
    assert pool.report(1, task, R.CONTRIBUTED, receipt=Receipt(10, "0xlie")) == []
    pool.read(task, "ACTIVE", {1: ("UNSET", HASH_A)})
    for _ in range(10):
        pool.wait(10)
        pool.beat(1)
        pool.read(task, "ACTIVE", {1: ("UNSET", HASH_A)})
    (answer,) = pool.sent(d.AnswerUpdate, outcome=REFUSED)
    assert (answer.action, answer.reason) == (Action.ABORT, "GENERIC_CANT_UPDATE")


def test_s22_contributed_before_its_log_is_accepted_once_the_chain_was_read(pool):
    task = contributing(pool)
    assert pool.report(1, task, R.CONTRIBUTED, receipt=Receipt(11, "0xtx")) == []
    pool.read(task, "ACTIVE", {1: ("CONTRIBUTED", HASH_A)})
    (answer,) = [a for a in pool.last if isinstance(a, d.AnswerUpdate)]
    assert (answer.outcome, answer.action) == (ACCEPTED, Action.WAIT)
    assert pool.replicate(1, task).contribution_hash == HASH_A
    assert pool.replicate(1, task).history[-1].modifier is Modifier.WORKER


def test_s22_contributed_is_known_already_when_its_log_comes_first(pool):
    task = contributing(pool)
    pool.contribute(1, task)
    assert outcome(pool.report(1, task, R.CONTRIBUTED)) == [(KNOWN, Action.WAIT)]


def test_s22_a_waiting_report_is_answered_by_the_log_too(pool):
    task = contributing(pool)
    pool.report(1, task, R.CONTRIBUTED)
    pool.contribute(1, task)
    (answer,) = [a for a in pool.last if isinstance(a, d.AnswerUpdate)]
    assert answer.outcome is KNOWN


def test_s22_a_block_from_the_future_pins_nothing(pool):
    task = contributing(pool)
    pool.report(1, task, R.CONTRIBUTED, receipt=Receipt(2**62, "0xtx"))
    other = pool.ready()
    assert outcome(pool.report(1, other, R.STARTING)) == [(ACCEPTED, Action.CONTINUE)]
    pool.read(task, "ACTIVE", {1: ("CONTRIBUTED", HASH_A)})
    assert pool.replicate(1, task).history[-1].receipt.block == 0


def test_what_follows_a_waiting_report_waits_behind_it(pool):
    task = contributing(pool)
    assert pool.report(1, task, R.CONTRIBUTED, R.REVEALING) == []
    pool.contribute(1, task)
    answers = [a for a in pool.last if isinstance(a, d.AnswerUpdate)]
    assert outcome(answers) == [(KNOWN, Action.WAIT), (ACCEPTED, Action.CONTINUE)]


@pytest.mark.parametrize(
    ("status", "cause", "action"),
    [
        (R.APP_DOWNLOAD_FAILED, C.APP_IMAGE_DOWNLOAD_FAILED, Action.CONTRIBUTE),
        (R.DATA_DOWNLOAD_FAILED, C.DATASET_FILE_DOWNLOAD_FAILED, Action.CONTRIBUTE),
        (R.DATA_DOWNLOAD_FAILED, C.DATASET_FILE_BAD_CHECKSUM, Action.CONTRIBUTE),
        (R.DATA_DOWNLOAD_FAILED, C.INPUT_FILES_DOWNLOAD_FAILED, Action.CONTRIBUTE),
        (R.DATA_DOWNLOAD_FAILED, C.POST_COMPUTE_TIMEOUT, Action.ABORT),
    ],
)
def test_s23_failed_downloads_are_contributed_or_aborted_by_their_cause(pool, status, cause, action):
    pool.connect(1)
    task = pool.ready()
    pool.report(1, task, R.STARTING, R.STARTED, R.APP_DOWNLOADING)
    if status is R.DATA_DOWNLOAD_FAILED:
        pool.report(1, task, R.APP_DOWNLOADED, R.DATA_DOWNLOADING)
    assert outcome(pool.report(1, task, status, cause=cause)) == [(ACCEPTED, action)]
    if action is Action.CONTRIBUTE:
        assert outcome(pool.report(1, task, R.CONTRIBUTING)) == [(ACCEPTED, Action.CONTINUE)]


def test_s24_a_standard_task_is_contributed(pool):
    standard = computing(pool, 1)
    assert outcome(pool.report(1, standard, R.COMPUTED)) == [(ACCEPTED, Action.CONTRIBUTE)]


def test_s24_an_eligible_enclave_task_is_contributed_and_finalized_at_once(pool):
    task = computing(pool, tag=SCONE)
    assert outcome(pool.report(1, task, R.COMPUTED)) == [(ACCEPTED, Action.CONTRIBUTE_AND_FINALIZE)]


def caf_ongoing(pool):
    task = computing(pool, tag=SCONE)
    pool.report(1, task, R.COMPUTED, R.CONTRIBUTE_AND_FINALIZE_ONGOING)
    return task


def test_s25_caf_done_is_refused_unless_revealed_and_completed_on_chain(pool):
    task = caf_ongoing(pool)
    pool.report(1, task, R.CONTRIBUTE_AND_FINALIZE_DONE)
    for _ in range(10):
        pool.wait(10)
        pool.beat(1)
        pool.read(task, "ACTIVE", {1: ("UNSET", HASH_A)})
    assert pool.sent(d.AnswerUpdate, outcome=REFUSED)


def test_s25_caf_done_is_accepted_when_the_chain_completed_the_task(pool):
    task = caf_ongoing(pool)
    pool.report(1, task, R.CONTRIBUTE_AND_FINALIZE_DONE)
    pool.read(task, "COMPLETED", {1: ("PROVED", HASH_A)})
    assert [a.outcome for a in pool.last if isinstance(a, d.AnswerUpdate)] == [ACCEPTED]
    assert pool.status(task) == "COMPLETED"
    assert pool.replicate(1, task).result_link == LINK


def test_s26_result_uploaded_is_refused_without_link_or_when_the_proxy_does_not_have_it(pool):
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
        ({"storage_provider": "dropbox"}, {"result_link": LINK}),
    ],
)
def test_s26_results_that_go_elsewhere_are_not_asked_of_the_proxy(pool, deal, details):
    task = pool.to_upload(1, **deal)
    pool.report(1, task, R.RESULT_UPLOADING)
    assert outcome(pool.report(1, task, R.RESULT_UPLOADED, **details)) == [(ACCEPTED, Action.WAIT)]
    assert not pool.sent(d.CheckResult)
    assert pool.status(task) == "FINALIZING"


def test_s26_without_data_such_a_result_is_refused(pool):
    task = pool.to_upload(1, callback="0xCallback")
    pool.report(1, task, R.RESULT_UPLOADING)
    assert outcome(pool.report(1, task, R.RESULT_UPLOADED)) == [(REFUSED, Action.ABORT)]


def test_s27_logs_are_kept_under_the_reporting_wallet(pool):
    task = computing(pool)
    pool.report(1, task, R.COMPUTED, stdout="out", stderr="err", exit_code=0)
    assert pool.ledger.logs == {(task, "0xWorker1"): ("out", "err")}
    assert pool.replicate(1, task).logs_present
    assert pool.replicate(1, task).exit_code == 0


def test_s27_logs_of_a_failed_computation_are_kept_only_if_the_app_failed(pool):
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
def test_s28_a_slot_is_free_again_after_an_early_failure(pool, statuses):
    pool.connect(1)
    task = pool.ready()
    assert pool.scheduler.workers["0xWorker1"].computing == {task}
    pool.report(1, task, *statuses)
    assert pool.scheduler.workers["0xWorker1"].computing == set()


def test_s28_a_slot_is_free_at_computed_and_the_task_leaves_the_worker_at_completed(pool):
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


def test_s29_of_two_reports_of_one_status_only_the_first_is_recorded(pool):
    pool.connect(1)
    task = pool.ready()
    assert outcome(pool.report(1, task, R.STARTING, R.STARTING)) == [
        (ACCEPTED, Action.CONTINUE),
        (KNOWN, Action.WAIT),
    ]
    assert pool.statuses(1, task) == ["CREATED", "STARTING"]
