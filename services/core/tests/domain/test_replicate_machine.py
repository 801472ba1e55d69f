"""The replicate tables against a second, independently typed listing of core spec §2.2 and §2.6."""

import itertools

import pytest
from workerpool_core.domain.model import Action, Modifier, Replicate, ReplicateChange
from workerpool_core.domain.replicates.replicate_machine import (
    Verdict,
    judge,
    may_be_proven,
    may_follow,
    missing_statuses,
    next_action,
)
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause

R = ReplicateStatus

# From: normal next statuses | columns F(AILED) L(OST) R(ECOVERING) A(BORTED)
LISTING = """
CREATED: STARTING | FLRA
STARTING: STARTED START_FAILED | FLRA
START_FAILED: | FLA
STARTED: APP_DOWNLOADING | FLRA
APP_DOWNLOADING: APP_DOWNLOADED APP_DOWNLOAD_FAILED | FLRA
APP_DOWNLOAD_FAILED: CONTRIBUTING | FLRA
APP_DOWNLOADED: DATA_DOWNLOADING | FLRA
DATA_DOWNLOADING: DATA_DOWNLOADED DATA_DOWNLOAD_FAILED | FLRA
DATA_DOWNLOAD_FAILED: CONTRIBUTING | FLRA
DATA_DOWNLOADED: COMPUTING | FLRA
COMPUTING: COMPUTED COMPUTE_FAILED | FLRA
COMPUTE_FAILED: | FLA
COMPUTED: CONTRIBUTING CONTRIBUTE_AND_FINALIZE_ONGOING | FLRA
CONTRIBUTING: CONTRIBUTED CONTRIBUTE_FAILED | FLRA
CONTRIBUTE_FAILED: | FLA
REVEAL_FAILED: | FLA
CONTRIBUTED: REVEALING | FLRA
REVEALING: REVEALED REVEAL_FAILED | FLRA
REVEALED: RESULT_UPLOAD_REQUESTED COMPLETING | LRA
RESULT_UPLOAD_REQUESTED: RESULT_UPLOADING | LRA
RESULT_UPLOADING: RESULT_UPLOADED RESULT_UPLOAD_FAILED | LRA
RESULT_UPLOAD_FAILED: COMPLETING | LRA
RESULT_UPLOADED: COMPLETING | LRA
CONTRIBUTE_AND_FINALIZE_ONGOING: CONTRIBUTE_AND_FINALIZE_DONE CONTRIBUTE_AND_FINALIZE_FAILED | FLRA
CONTRIBUTE_AND_FINALIZE_FAILED: | FLRA
CONTRIBUTE_AND_FINALIZE_DONE: COMPLETING | LRA
COMPLETING: COMPLETED COMPLETE_FAILED | LRA
COMPLETE_FAILED: | LA
ABORTED: COMPLETED | FL
COMPLETED: |
FAILED: |
"""
COLUMNS = {"F": R.FAILED, "L": R.WORKER_LOST, "R": R.RECOVERING, "A": R.ABORTED}


def listed() -> dict[ReplicateStatus, set[ReplicateStatus]]:
    table: dict[ReplicateStatus, set[ReplicateStatus]] = {
        R.WORKER_LOST: {status for status in R if status is not R.WORKER_LOST},
        R.RECOVERING: {status for status in R if status not in (R.CREATED, R.STARTING)},
    }
    for line in filter(None, LISTING.split("\n")):
        name, rest = line.split(":")
        normal, columns = rest.split("|")
        table[R[name]] = {R[n] for n in normal.split()} | {COLUMNS[c] for c in columns.strip()}
    return table


ALLOWED = listed()


def replicate(*statuses: ReplicateStatus) -> Replicate:
    return Replicate(
        "0x01", "0xW", 2, [ReplicateChange(s, float(i), Modifier.WORKER) for i, s in enumerate(statuses)]
    )


@pytest.mark.parametrize(("current", "new"), list(itertools.product(ReplicateStatus, repeat=2)))
def test_each_of_the_1089_pairs_is_as_the_protocol_lists_it(
    current: ReplicateStatus, new: ReplicateStatus
) -> None:
    assert may_follow(current, new) is (new in ALLOWED[current])


@pytest.mark.parametrize("status", ReplicateStatus)
def test_a_status_anywhere_in_the_history_is_known_before_anything_else(status: ReplicateStatus) -> None:
    assert judge(replicate(status, R.WORKER_LOST), status) is Verdict.ALREADY_REPORTED


def test_judgement_looks_at_the_current_status() -> None:
    assert judge(replicate(R.CREATED), R.COMPUTED) is Verdict.BAD_WORKFLOW_TRANSITION
    assert judge(replicate(R.CREATED, R.WORKER_LOST), R.COMPUTED) is Verdict.LEGAL


@pytest.mark.parametrize(
    ("status", "cause", "action"),
    [
        (R.STARTING, None, Action.CONTINUE),
        (R.APP_DOWNLOADING, None, Action.CONTINUE),
        (R.DATA_DOWNLOADING, None, Action.CONTINUE),
        (R.COMPUTING, None, Action.CONTINUE),
        (R.CONTRIBUTING, None, Action.CONTINUE),
        (R.REVEALING, None, Action.CONTINUE),
        (R.RESULT_UPLOADING, None, Action.CONTINUE),
        (R.CONTRIBUTE_AND_FINALIZE_ONGOING, None, Action.CONTINUE),
        (R.COMPLETING, None, Action.CONTINUE),
        (R.STARTED, None, Action.DOWNLOAD_APP),
        (R.APP_DOWNLOADED, None, Action.DOWNLOAD_DATA),
        (R.DATA_DOWNLOADED, None, Action.COMPUTE),
        (R.COMPUTED, None, Action.CONTRIBUTE),
        (R.APP_DOWNLOAD_FAILED, ReplicateStatusCause.APP_IMAGE_DOWNLOAD_FAILED, Action.CONTRIBUTE),
        (R.APP_DOWNLOAD_FAILED, None, Action.ABORT),
        (R.DATA_DOWNLOAD_FAILED, ReplicateStatusCause.DATASET_FILE_DOWNLOAD_FAILED, Action.CONTRIBUTE),
        (R.DATA_DOWNLOAD_FAILED, ReplicateStatusCause.DATASET_FILE_BAD_CHECKSUM, Action.CONTRIBUTE),
        (R.DATA_DOWNLOAD_FAILED, ReplicateStatusCause.INPUT_FILES_DOWNLOAD_FAILED, Action.CONTRIBUTE),
        (R.DATA_DOWNLOAD_FAILED, ReplicateStatusCause.POST_COMPUTE_TIMEOUT, Action.ABORT),
        (R.CONTRIBUTED, None, Action.WAIT),
        (R.REVEALED, None, Action.WAIT),
        (R.RESULT_UPLOADED, None, Action.WAIT),
        (R.CONTRIBUTE_AND_FINALIZE_DONE, None, Action.WAIT),
        (R.COMPLETED, None, Action.WAIT),
        (R.START_FAILED, None, Action.ABORT),
        (R.COMPUTE_FAILED, None, Action.ABORT),
        (R.CONTRIBUTE_FAILED, None, Action.ABORT),
        (R.REVEAL_FAILED, None, Action.ABORT),
        (R.RESULT_UPLOAD_FAILED, None, Action.ABORT),
        (R.CONTRIBUTE_AND_FINALIZE_FAILED, None, Action.ABORT),
        (R.COMPLETE_FAILED, None, Action.ABORT),
    ],
)
def test_the_next_action_is_the_protocols(
    status: ReplicateStatus, cause: ReplicateStatusCause | None, action: Action
) -> None:
    assert next_action(status, cause, caf_eligible=False) is action


def test_an_eligible_computed_replicate_contributes_and_finalizes_at_once() -> None:
    assert next_action(R.COMPUTED, None, caf_eligible=True) is Action.CONTRIBUTE_AND_FINALIZE


@pytest.mark.parametrize("target", [R.CONTRIBUTED, R.REVEALED, R.CONTRIBUTE_AND_FINALIZE_DONE])
@pytest.mark.parametrize("last", ReplicateStatus)
def test_replayed_statuses_follow_the_tables(last: ReplicateStatus, target: ReplicateStatus) -> None:
    current = last
    for status in missing_statuses(replicate(R.CREATED, last), target):
        assert may_follow(current, status) or may_be_proven(current, status)
        current = status


def test_a_worker_that_died_computing_is_replayed_up_to_its_contribution() -> None:
    assert missing_statuses(replicate(R.CREATED, R.COMPUTING, R.WORKER_LOST), R.CONTRIBUTED) == [
        R.COMPUTED,
        R.CONTRIBUTING,
        R.CONTRIBUTED,
    ]


def test_trap_caf_is_replayed_without_contributed_and_revealed() -> None:
    assert missing_statuses(replicate(R.CREATED, R.COMPUTED), R.CONTRIBUTE_AND_FINALIZE_DONE) == [
        R.CONTRIBUTE_AND_FINALIZE_ONGOING,
        R.CONTRIBUTE_AND_FINALIZE_DONE,
    ]


def test_a_failed_replicate_stays_failed() -> None:
    assert missing_statuses(replicate(R.CONTRIBUTED, R.FAILED), R.REVEALED) == ()
