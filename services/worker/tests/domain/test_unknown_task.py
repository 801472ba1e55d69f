"""Answers to commands about tasks that the worker does not hold."""

import pytest
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause
from workerpool_worker.domain.record import Command
from workerpool_worker.domain.stages import Action
from workerpool_worker.domain.unknown_task import statuses_for_unknown_task

from services.worker.tests.harness.builders import TASK_ID


def statuses(action: Action) -> list[ReplicateStatus]:
    answer = statuses_for_unknown_task(Command(1, TASK_ID, action), ended=False)
    return [status for status, _ in answer]


def test_complete_and_abort_succeed_because_nothing_is_held() -> None:
    assert statuses(Action.COMPLETE) == [ReplicateStatus.COMPLETING, ReplicateStatus.COMPLETED]
    assert statuses(Action.ABORT) == [ReplicateStatus.ABORTED]


def test_abort_is_answered_with_the_cause_of_the_command() -> None:
    abort = Command(1, TASK_ID, Action.ABORT, cause=ReplicateStatusCause.CONSENSUS_REACHED)
    ((_, details),) = statuses_for_unknown_task(abort, ended=False)
    assert details.cause is ReplicateStatusCause.CONSENSUS_REACHED


def test_a_missing_result_fails_the_contribution_the_reveal_and_the_upload() -> None:
    assert statuses(Action.CONTRIBUTE) == [ReplicateStatus.CONTRIBUTING, ReplicateStatus.CONTRIBUTE_FAILED]
    assert statuses(Action.REVEAL) == [ReplicateStatus.REVEAL_FAILED]
    assert statuses(Action.UPLOAD) == [ReplicateStatus.RESULT_UPLOAD_FAILED]


@pytest.mark.parametrize("action", Action)
def test_a_replicate_that_ended_here_is_not_reported_twice(action: Action) -> None:
    assert statuses_for_unknown_task(Command(1, TASK_ID, action), ended=True) == []
