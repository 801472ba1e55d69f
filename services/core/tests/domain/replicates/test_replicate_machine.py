"""The replicate tables equal an independent listing of core spec §2.2 and §2.6."""

import itertools

from workerpool_core.domain.model import Action, Modifier, Replicate, ReplicateChange
from workerpool_core.domain.replicates.replicate_machine import (
    Verdict,
    judge,
    may_be_proven,
    may_follow,
    missing_statuses,
    next_action,
)
from workerpool_poco.protocol.ids import TaskId
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
        usual = {ReplicateStatus[status] for status in normal.split()}
        table[ReplicateStatus[name]] = usual | {COLUMNS[column] for column in columns.strip()}
    return table


ALLOWED = listed()


def replicate(*statuses: ReplicateStatus) -> Replicate:
    return Replicate(
        TaskId("0x01"),
        "0xW",
        2,
        [ReplicateChange(s, float(i), Modifier.WORKER) for i, s in enumerate(statuses)],
    )


def test_the_transitions_are_those_that_the_protocol_lists() -> None:
    differing = {
        (current.value, new.value): may_follow(current, new)
        for current in R
        for new in R
        if may_follow(current, new) is not (new in ALLOWED[current])
    }
    assert differing == {}, (
        "pairs that the table and the protocol decide differently, with the table's decision"
    )


def test_a_status_anywhere_in_the_history_was_already_reported() -> None:
    histories = {status: replicate(status, R.WORKER_LOST) for status in R}
    verdicts = {status: judge(history, status) for status, history in histories.items()}
    assert verdicts == dict.fromkeys(R, Verdict.ALREADY_REPORTED)


def test_the_verdict_depends_on_the_current_status() -> None:
    assert judge(replicate(R.CREATED), R.COMPUTED) is Verdict.BAD_WORKFLOW_TRANSITION
    assert judge(replicate(R.CREATED, R.WORKER_LOST), R.COMPUTED) is Verdict.LEGAL


NEXT_ACTIONS = {
    (R.STARTING, None): Action.CONTINUE,
    (R.APP_DOWNLOADING, None): Action.CONTINUE,
    (R.DATA_DOWNLOADING, None): Action.CONTINUE,
    (R.COMPUTING, None): Action.CONTINUE,
    (R.CONTRIBUTING, None): Action.CONTINUE,
    (R.REVEALING, None): Action.CONTINUE,
    (R.RESULT_UPLOADING, None): Action.CONTINUE,
    (R.CONTRIBUTE_AND_FINALIZE_ONGOING, None): Action.CONTINUE,
    (R.COMPLETING, None): Action.CONTINUE,
    (R.STARTED, None): Action.DOWNLOAD_APP,
    (R.APP_DOWNLOADED, None): Action.DOWNLOAD_DATA,
    (R.DATA_DOWNLOADED, None): Action.COMPUTE,
    (R.COMPUTED, None): Action.CONTRIBUTE,
    (R.APP_DOWNLOAD_FAILED, ReplicateStatusCause.APP_IMAGE_DOWNLOAD_FAILED): Action.WAIT,
    (R.APP_DOWNLOAD_FAILED, None): Action.ABORT,
    (R.DATA_DOWNLOAD_FAILED, ReplicateStatusCause.DATASET_FILE_DOWNLOAD_FAILED): Action.WAIT,
    (R.DATA_DOWNLOAD_FAILED, ReplicateStatusCause.DATASET_FILE_BAD_CHECKSUM): Action.WAIT,
    (R.DATA_DOWNLOAD_FAILED, ReplicateStatusCause.INPUT_FILES_DOWNLOAD_FAILED): Action.WAIT,
    (R.DATA_DOWNLOAD_FAILED, ReplicateStatusCause.HOST_FAILED): Action.ABORT,
    (R.COMPUTED, ReplicateStatusCause.APP_COMPUTE_FAILED): Action.WAIT,
    (R.COMPUTED, ReplicateStatusCause.HOST_FAILED): Action.ABORT,
    (R.CONTRIBUTED, None): Action.WAIT,
    (R.REVEALED, None): Action.WAIT,
    (R.RESULT_UPLOADED, None): Action.WAIT,
    (R.CONTRIBUTE_AND_FINALIZE_DONE, None): Action.WAIT,
    (R.COMPLETED, None): Action.WAIT,
    (R.START_FAILED, None): Action.ABORT,
    (R.COMPUTE_FAILED, None): Action.ABORT,
    (R.CONTRIBUTE_FAILED, None): Action.ABORT,
    (R.REVEAL_FAILED, None): Action.ABORT,
    (R.RESULT_UPLOAD_FAILED, None): Action.ABORT,
    (R.CONTRIBUTE_AND_FINALIZE_FAILED, None): Action.ABORT,
    (R.COMPLETE_FAILED, None): Action.ABORT,
}


def test_the_next_actions_are_those_of_the_protocol_but_an_error_result_waits() -> None:
    actions = {
        (status, cause): next_action(status, cause, caf_eligible=False) for status, cause in NEXT_ACTIONS
    }
    assert actions == NEXT_ACTIONS


def test_an_eligible_replicate_contributes_and_finalizes_after_computed() -> None:
    assert next_action(R.COMPUTED, None, caf_eligible=True) is Action.CONTRIBUTE_AND_FINALIZE


def test_replayed_statuses_follow_the_tables() -> None:
    illegal = []
    for target, last in itertools.product(
        (R.CONTRIBUTED, R.REVEALED, R.CONTRIBUTE_AND_FINALIZE_DONE), ReplicateStatus
    ):
        path = [last, *missing_statuses(replicate(R.CREATED, last), target)]
        illegal += [
            (last.value, target.value, current.value, status.value)
            for current, status in itertools.pairwise(path)
            if not may_follow(current, status) and not may_be_proven(current, status)
        ]
    assert illegal == []


def test_a_replicate_of_a_worker_that_was_lost_while_computing_is_replayed_up_to_its_contribution() -> None:
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


def test_a_replicate_that_was_aborted_stays_so_although_its_worker_was_lost_meanwhile() -> None:
    lost = replicate(R.CREATED, R.ABORTED, R.WORKER_LOST)
    assert judge(lost, R.STARTING) is Verdict.BAD_WORKFLOW_TRANSITION
    assert judge(lost, R.FAILED) is Verdict.LEGAL
