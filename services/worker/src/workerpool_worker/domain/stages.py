"""The stages of a replicate on the worker, as tables: transitions, reported statuses, effects of commands.

A stage is the next step of the worker. The journal stores it, so a killed worker continues there. A status is what the
worker last reported. The worker advances by itself from START to AWAIT_REVEAL, or to AWAIT_DECISION if the requester's
app, data or parameters fail the task. From there commands of the scheduler advance it, because only the chain decides
which workers reveal and upload.
"""

from dataclasses import dataclass
from enum import StrEnum

from workerpool_poco.protocol.statuses import ReplicateStatus as S


class Stage(StrEnum):
    """The next step of a replicate."""

    START = "START"
    DOWNLOAD_APP = "DOWNLOAD_APP"
    DOWNLOAD_DATA = "DOWNLOAD_DATA"
    COMPUTE = "COMPUTE"
    AWAIT_DECISION = "AWAIT_DECISION"
    """The replicate holds an error result. The scheduler decides on it: CONTRIBUTE or ABORT."""
    CONTRIBUTE = "CONTRIBUTE"
    AWAIT_REVEAL = "AWAIT_REVEAL"
    REVEAL = "REVEAL"
    AWAIT_UPLOAD = "AWAIT_UPLOAD"
    UPLOAD = "UPLOAD"
    AWAIT_END = "AWAIT_END"
    COMPLETE = "COMPLETE"
    FAILED = "FAILED"
    """A step failed. The worker waits for a command of the scheduler, usually ABORT."""


class Action(StrEnum):
    """The action of a command: the protocol's `PLEASE_*` notifications that apply to a standard worker."""

    CONTRIBUTE = "CONTRIBUTE"
    """Contribute the error result, or send a contribution again that a chain reorganization orphaned."""
    REVEAL = "REVEAL"
    UPLOAD = "UPLOAD"
    COMPLETE = "COMPLETE"
    ABORT = "ABORT"
    CONTINUE = "CONTINUE"


WAITING = frozenset(
    {Stage.AWAIT_DECISION, Stage.AWAIT_REVEAL, Stage.AWAIT_UPLOAD, Stage.AWAIT_END, Stage.FAILED}
)
"""Stages in which the worker waits for a command."""

USES_SLOT = frozenset({Stage.START, Stage.DOWNLOAD_APP, Stage.DOWNLOAD_DATA, Stage.COMPUTE})
"""Stages that occupy a computing slot. The protocol frees the slot at COMPUTED or at an earlier failure."""


@dataclass(frozen=True, slots=True)
class StageStatuses:
    """The statuses that a step reports: at its start, on success, on failure."""

    started: S
    succeeded: S
    failed: S


STATUSES: dict[Stage, StageStatuses] = {
    Stage.START: StageStatuses(S.STARTING, S.STARTED, S.START_FAILED),
    Stage.DOWNLOAD_APP: StageStatuses(S.APP_DOWNLOADING, S.APP_DOWNLOADED, S.APP_DOWNLOAD_FAILED),
    Stage.DOWNLOAD_DATA: StageStatuses(S.DATA_DOWNLOADING, S.DATA_DOWNLOADED, S.DATA_DOWNLOAD_FAILED),
    Stage.COMPUTE: StageStatuses(S.COMPUTING, S.COMPUTED, S.COMPUTE_FAILED),
    Stage.CONTRIBUTE: StageStatuses(S.CONTRIBUTING, S.CONTRIBUTED, S.CONTRIBUTE_FAILED),
    Stage.REVEAL: StageStatuses(S.REVEALING, S.REVEALED, S.REVEAL_FAILED),
    Stage.UPLOAD: StageStatuses(S.RESULT_UPLOADING, S.RESULT_UPLOADED, S.RESULT_UPLOAD_FAILED),
    Stage.COMPLETE: StageStatuses(S.COMPLETING, S.COMPLETED, S.COMPLETE_FAILED),
}
"""Reported statuses of each stage that runs a step."""

MAY_WAIT = frozenset(
    {
        *(each.started for each in STATUSES.values()),
        *(S.STARTED, S.APP_DOWNLOADED, S.DATA_DOWNLOADED),
    }
) - {S.COMPUTING}
"""Statuses that change no decision of the scheduler: their reports wait for the next one, though not for long.

COMPUTING is not among them: a worker that is killed finds the container of the app by it."""

ERROR_RESULT_STATUSES: dict[Stage, S] = {
    Stage.DOWNLOAD_APP: S.APP_DOWNLOAD_FAILED,
    Stage.DOWNLOAD_DATA: S.DATA_DOWNLOAD_FAILED,
    Stage.COMPUTE: S.COMPUTED,
}
"""The status that reports an error result, by the stage that made it. The status is part of the result's digest."""

NEXT: dict[Stage, Stage] = {
    Stage.START: Stage.DOWNLOAD_APP,
    Stage.DOWNLOAD_APP: Stage.DOWNLOAD_DATA,
    Stage.DOWNLOAD_DATA: Stage.COMPUTE,
    Stage.COMPUTE: Stage.CONTRIBUTE,
    Stage.CONTRIBUTE: Stage.AWAIT_REVEAL,
    Stage.REVEAL: Stage.AWAIT_UPLOAD,
    Stage.UPLOAD: Stage.AWAIT_END,
}
"""The stage that follows the success of a step."""

TO_COMPUTED = tuple(
    status
    for stage in (Stage.START, Stage.DOWNLOAD_APP, Stage.DOWNLOAD_DATA, Stage.COMPUTE)
    for status in (STATUSES[stage].started, STATUSES[stage].succeeded)
)
"""The statuses that a replicate with a result has reported."""

_CONTRIBUTE_FROM = frozenset(
    {
        Stage.AWAIT_DECISION,
        Stage.AWAIT_REVEAL,
        Stage.REVEAL,
        Stage.AWAIT_UPLOAD,
        Stage.UPLOAD,
        Stage.AWAIT_END,
        Stage.FAILED,
    }
)
_REVEAL_FROM = frozenset(
    {Stage.AWAIT_REVEAL, Stage.AWAIT_UPLOAD, Stage.UPLOAD, Stage.AWAIT_END, Stage.FAILED}
)
_UPLOAD_FROM = frozenset({Stage.AWAIT_UPLOAD, Stage.AWAIT_END, Stage.FAILED})


def after_command(stage: Stage, action: Action) -> Stage | None:
    """Return the stage that a command leads to, or None if the command changes nothing in this stage.

    A command for a step that runs or is done changes nothing, so a duplicate is harmless. A command that arrives
    early (REVEAL while the worker waits for the receipt of its contribution) stays pending until the step ends. The
    scheduler may repeat a command after a failure or a chain reorganization; a step whose transaction is still on
    chain sends nothing. ABORT leads to no stage, because it ends every step.
    """
    if action is Action.COMPLETE and stage is not Stage.COMPLETE:
        return Stage.COMPLETE
    if action is Action.CONTRIBUTE and stage in _CONTRIBUTE_FROM:
        return Stage.CONTRIBUTE
    if action is Action.REVEAL and stage in _REVEAL_FROM:
        return Stage.REVEAL
    if action is Action.UPLOAD and stage in _UPLOAD_FROM:
        return Stage.UPLOAD
    return None
