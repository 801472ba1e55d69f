"""What a requester can cause, each case under its id: it ends within two attempts, and no worker is blamed."""

import pytest
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_poco.protocol.causes import ReplicateStatusCause
from workerpool_poco.protocol.ids import to_hex
from workerpool_poco.protocol.results import callback_digest, result_hash
from workerpool_poco.protocol.statuses import ReplicateStatus

from services.core.tests.doubles.scripted_pool import HASH_B, TO_COMPUTED, ScriptedPool

R = ReplicateStatus
C = ReplicateStatusCause


@pytest.mark.parametrize(
    ("status", "cause", "exit_code"),
    [
        pytest.param(R.COMPUTED, C.APP_COMPUTE_FAILED, 3, id="app-exit-3"),
        pytest.param(R.COMPUTED, C.APP_COMPUTE_FAILED, 3, id="app-exit-3-with-result"),
        pytest.param(R.COMPUTED, C.APP_COMPUTE_TIMEOUT, None, id="app-time-limit"),
        pytest.param(R.COMPUTED, C.APP_DISK_LIMIT_EXCEEDED, None, id="app-fills-disk"),
        pytest.param(R.COMPUTED, C.APP_CANNOT_START, None, id="app-cannot-start"),
        pytest.param(R.COMPUTED, C.POST_COMPUTE_TIMEOUT, 0, id="post-compute-long"),
        pytest.param(R.COMPUTED, C.RESULT_RULE_BROKEN, 0, id="archive-link-out"),
        pytest.param(R.COMPUTED, C.POST_COMPUTE_TOO_LONG_RESULT_FILE_NAME, 0, id="archive-name-32"),
        pytest.param(R.COMPUTED, C.POST_COMPUTE_COMPUTED_FILE_NOT_FOUND, 0, id="computed-odd"),
        pytest.param(R.COMPUTED, C.POST_COMPUTE_RESULT_DIGEST_COMPUTATION_FAILED, 0, id="computed-deep"),
        pytest.param(R.COMPUTED, C.POST_COMPUTE_RESULT_FILE_NOT_FOUND, 0, id="computed-path-outside"),
        pytest.param(R.APP_DOWNLOAD_FAILED, C.DEAL_PARAMS_INVALID, None, id="encryption-standard"),
        pytest.param(R.APP_DOWNLOAD_FAILED, C.APP_IMAGE_DOWNLOAD_FAILED, None, id="callback-failure"),
        pytest.param(R.APP_DOWNLOAD_FAILED, C.APP_IMAGE_NAME_INVALID, None, id="image-name"),
        pytest.param(R.APP_DOWNLOAD_FAILED, C.INPUT_FILES_DOWNLOAD_FAILED, None, id="data-url-forms"),
        pytest.param(R.DATA_DOWNLOAD_FAILED, C.INPUT_FILES_DOWNLOAD_FAILED, None, id="data-private"),
        pytest.param(R.DATA_DOWNLOAD_FAILED, C.DATASET_FILE_BAD_CHECKSUM, None, id="data-no-checksum"),
        pytest.param(R.DATA_DOWNLOAD_FAILED, C.DATASET_FILE_DOWNLOAD_FAILED, None, id="data-drip"),
    ],
)
def test_what_a_requester_causes_ends_within_two_attempts_and_blames_no_worker(
    pool: ScriptedPool, status: ReplicateStatus, cause: C, exit_code: int | None
) -> None:
    pool.connect_all(1, 2, 3)
    path = (
        TO_COMPUTED[:-1]
        if status is R.COMPUTED
        else TO_COMPUTED[: 3 if status is R.APP_DOWNLOAD_FAILED else 5]
    )
    for _ in range(4):
        task = pool.ready()
        reporters: list[str] = []
        while len(pool.assigned(task)) > len(reporters):
            (name,) = set(pool.assigned(task)) - set(reporters)
            reporters.append(name)
            number = int(name.removeprefix("0xWorker"))
            pool.report(number, task, *path, status, cause=cause, exit_code=exit_code, error_message="Why.")
        assert len(reporters) == 2
        assert pool.commands(number)[-1] == "CONTRIBUTE"
        pool.report(number, task, R.CONTRIBUTING)
        pool.contribute(number, task, HASH_B, consensus=True)
        stored = pool.ledger.tasks[task]
        assert (stored.error_cause, stored.error_message) == (cause, "Why.")
        assert pool.replicate(number, task).exit_code == exit_code
    for live in pool.scheduler.workers.values():
        assert (live.worker.consecutive_failures, live.worker.quarantined_until) == (0, 0.0)


def test_callback_failure_the_task_completes_with_empty_callback_data(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready(callback="0xCallback")
    empty = to_hex(result_hash(task, callback_digest(b"")))
    pool.report(1, task, *TO_COMPUTED, cause=C.APP_COMPUTE_FAILED, exit_code=3)
    pool.report(1, task, R.CONTRIBUTING)
    pool.contribute(1, task, empty, consensus=True)
    pool.reveal(1, task)
    (_, answer) = pool.report(1, task, R.RESULT_UPLOADING, R.RESULT_UPLOADED, callback_data="")
    assert answer.outcome is d.UpdateOutcome.ACCEPTED
    request = pool.sent(d.RequestTransaction, kind=e.TransactionKind.FINALIZE)[-1]
    assert (request.result_link, request.callback_data) == ("", "")
    pool.handle(e.TransactionAnswered(task, e.TransactionKind.FINALIZE, True, block=pool.block))
    stored = pool.ledger.tasks[task]
    assert (stored.status.value, stored.error_cause) == ("COMPLETED", C.APP_COMPUTE_FAILED)


def test_empty_callback_data_are_refused_for_another_consensus(pool: ScriptedPool) -> None:
    task = pool.to_upload(1, callback="0xCallback")
    (_, answer) = pool.report(1, task, R.RESULT_UPLOADING, R.RESULT_UPLOADED, callback_data="")
    assert answer.outcome is d.UpdateOutcome.REFUSED
