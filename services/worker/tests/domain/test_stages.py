"""Stages: transitions, reported statuses, effects of commands."""

import pytest
from workerpool_poco.protocol.statuses import WORKER_REPLICATE_STATUSES
from workerpool_poco.protocol.statuses import ReplicateStatus as S
from workerpool_worker.domain.stages import MAY_WAIT, NEXT, STATUSES, WAITING, Action, Stage, after_command

LEADS_TO = {
    (Stage.AWAIT_DECISION, Action.CONTRIBUTE): Stage.CONTRIBUTE,
    (Stage.AWAIT_REVEAL, Action.CONTRIBUTE): Stage.CONTRIBUTE,
    (Stage.REVEAL, Action.CONTRIBUTE): Stage.CONTRIBUTE,
    (Stage.AWAIT_UPLOAD, Action.CONTRIBUTE): Stage.CONTRIBUTE,
    (Stage.UPLOAD, Action.CONTRIBUTE): Stage.CONTRIBUTE,
    (Stage.AWAIT_END, Action.CONTRIBUTE): Stage.CONTRIBUTE,
    (Stage.FAILED, Action.CONTRIBUTE): Stage.CONTRIBUTE,
    (Stage.AWAIT_REVEAL, Action.REVEAL): Stage.REVEAL,
    (Stage.AWAIT_UPLOAD, Action.REVEAL): Stage.REVEAL,
    (Stage.UPLOAD, Action.REVEAL): Stage.REVEAL,
    (Stage.AWAIT_END, Action.REVEAL): Stage.REVEAL,
    (Stage.FAILED, Action.REVEAL): Stage.REVEAL,
    (Stage.AWAIT_UPLOAD, Action.UPLOAD): Stage.UPLOAD,
    (Stage.AWAIT_END, Action.UPLOAD): Stage.UPLOAD,
    (Stage.FAILED, Action.UPLOAD): Stage.UPLOAD,
} | {(stage, Action.COMPLETE): Stage.COMPLETE for stage in Stage if stage is not Stage.COMPLETE}
"""Every pair of stage and command that has an effect."""


def test_every_stage_waits_or_reports() -> None:
    assert set(Stage) == WAITING | set(STATUSES)


def test_a_worker_reports_only_statuses_of_workers() -> None:
    reported = {
        status for entry in STATUSES.values() for status in (entry.started, entry.succeeded, entry.failed)
    }
    assert reported <= WORKER_REPLICATE_STATUSES


def test_what_the_scheduler_decides_on_is_reported_at_once() -> None:
    awaited = {S.COMPUTING, S.COMPUTED, S.CONTRIBUTED, S.REVEALED, S.RESULT_UPLOADED, S.COMPLETED, S.ABORTED}
    assert not MAY_WAIT & (awaited | {entry.failed for entry in STATUSES.values()})
    assert MAY_WAIT < WORKER_REPLICATE_STATUSES


def test_the_worker_advances_without_commands_until_it_awaits_the_reveal() -> None:
    path = [Stage.START]
    while path[-1] in NEXT:
        path.append(NEXT[path[-1]])
    assert path == [
        Stage.START, Stage.DOWNLOAD_APP, Stage.DOWNLOAD_DATA, Stage.COMPUTE, Stage.CONTRIBUTE, Stage.AWAIT_REVEAL,
    ]  # fmt: skip


def test_commands_lead_where_the_table_says_and_nowhere_else() -> None:
    found = {
        (stage, action): after
        for stage in Stage
        for action in Action
        if (after := after_command(stage, action)) is not None
    }
    assert found == LEADS_TO


@pytest.mark.parametrize(("stage", "action"), LEADS_TO)
def test_a_duplicate_command_has_no_effect(stage: Stage, action: Action) -> None:
    assert after_command(LEADS_TO[stage, action], action) is None
