"""The task table equals an independent listing of core spec §1.2."""

import itertools

from workerpool_core.domain.tasks.task_machine import may_follow, path_to_completed
from workerpool_poco.protocol.statuses import FINAL_TASK_STATUSES, TaskStatus

LISTING = """
RECEIVED INITIALIZING
RECEIVED INITIALIZE_FAILED
INITIALIZING INITIALIZED
INITIALIZING INITIALIZE_FAILED
INITIALIZE_FAILED FAILED
INITIALIZED RUNNING
INITIALIZED CONTRIBUTION_TIMEOUT
RUNNING CONTRIBUTION_TIMEOUT
CONTRIBUTION_TIMEOUT FAILED
RUNNING CONSENSUS_REACHED
RUNNING FINALIZED
RUNNING RUNNING_FAILED
RUNNING_FAILED FAILED
CONSENSUS_REACHED AT_LEAST_ONE_REVEALED
CONSENSUS_REACHED REOPENING
AT_LEAST_ONE_REVEALED RESULT_UPLOADING
RESULT_UPLOADING RESULT_UPLOADED
RESULT_UPLOADING RESULT_UPLOADING
RESULT_UPLOADING RESULT_UPLOAD_TIMEOUT
RESULT_UPLOAD_TIMEOUT FAILED
RESULT_UPLOADED FINALIZING
RESULT_UPLOADED FINALIZE_FAILED
FINALIZING FINALIZED
FINALIZING FINALIZE_FAILED
FINALIZE_FAILED FAILED
FINALIZED COMPLETED
REOPENING REOPENED
REOPENING REOPEN_FAILED
REOPENED INITIALIZED
REOPEN_FAILED FAILED
FINAL_DEADLINE_REACHED FAILED
RECEIVED FINAL_DEADLINE_REACHED
INITIALIZING FINAL_DEADLINE_REACHED
INITIALIZED FINAL_DEADLINE_REACHED
RUNNING FINAL_DEADLINE_REACHED
CONSENSUS_REACHED FINAL_DEADLINE_REACHED
REOPENING FINAL_DEADLINE_REACHED
REOPENED FINAL_DEADLINE_REACHED
AT_LEAST_ONE_REVEALED FINAL_DEADLINE_REACHED
RESULT_UPLOADING FINAL_DEADLINE_REACHED
RESULT_UPLOADED FINAL_DEADLINE_REACHED
FINALIZING FINAL_DEADLINE_REACHED
FINALIZED FINAL_DEADLINE_REACHED
"""
ALLOWED = {tuple(TaskStatus[name] for name in line.split()) for line in LISTING.split("\n") if line}


def test_the_transitions_are_those_that_the_protocol_lists() -> None:
    table = {(current, new) for current in TaskStatus for new in TaskStatus if may_follow(current, new)}
    assert table - ALLOWED == set(), "transitions that the protocol does not list"
    assert ALLOWED - table == set(), "transitions that the table lacks"


def test_every_live_status_has_a_legal_path_to_completed() -> None:
    live = [status for status in TaskStatus if may_follow(status, TaskStatus.FINAL_DEADLINE_REACHED)]
    paths = {start: [start, *path_to_completed(start)] for start in live}
    assert {path[-1] for path in paths.values()} == {TaskStatus.COMPLETED}
    steps = [step for path in paths.values() for step in itertools.pairwise(path)]
    assert [step for step in steps if not may_follow(*step)] == []


def test_final_statuses_have_no_successor() -> None:
    assert all(not may_follow(final, new) for final in FINAL_TASK_STATUSES for new in TaskStatus)
