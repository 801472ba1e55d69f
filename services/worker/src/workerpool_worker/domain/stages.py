"""The stages of a replicate on this worker, as tables: what follows what, and what a command does.

A stage is what the worker has to do *next*; it is what the journal keeps, so that a killed worker goes on from there.
A status is what the worker told the scheduler last. The worker drives itself from START to AWAIT_REVEAL; from there
on the scheduler's commands do, since only the chain decides who reveals and uploads.
"""

from dataclasses import dataclass
from enum import StrEnum

from workerpool_poco.protocol.statuses import ReplicateStatus as S


class Stage(StrEnum):
    """What a replicate does next."""

    START = "START"
    DOWNLOAD_APP = "DOWNLOAD_APP"
    DOWNLOAD_DATA = "DOWNLOAD_DATA"
    COMPUTE = "COMPUTE"
    CONTRIBUTE = "CONTRIBUTE"
    AWAIT_REVEAL = "AWAIT_REVEAL"
    REVEAL = "REVEAL"
    AWAIT_UPLOAD = "AWAIT_UPLOAD"
    UPLOAD = "UPLOAD"
    AWAIT_END = "AWAIT_END"
    COMPLETE = "COMPLETE"
    FAILED = "FAILED"
    """A step failed; the scheduler's word (usually ABORT) is awaited."""


class Action(StrEnum):
    """What the scheduler wants done; the protocol's PLEASE_ messages that a standard worker acts on."""

    CONTRIBUTE = "CONTRIBUTE"
    """Send the contribution again: a reorganisation of the chain took it back."""
    REVEAL = "REVEAL"
    UPLOAD = "UPLOAD"
    COMPLETE = "COMPLETE"
    ABORT = "ABORT"
    CONTINUE = "CONTINUE"


WAITING = frozenset({Stage.AWAIT_REVEAL, Stage.AWAIT_UPLOAD, Stage.AWAIT_END, Stage.FAILED})
"""Stages in which the worker waits for a command."""

USES_SLOT = frozenset({Stage.START, Stage.DOWNLOAD_APP, Stage.DOWNLOAD_DATA, Stage.COMPUTE})
"""Stages that occupy a computing slot; the protocol frees the slot at COMPUTED or at a failure before it."""


@dataclass(frozen=True, slots=True)
class StageStatuses:
    """The statuses a step reports: when it begins, when it is done, when it fails."""

    begun: S
    done: S
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

NEXT: dict[Stage, Stage] = {
    Stage.START: Stage.DOWNLOAD_APP,
    Stage.DOWNLOAD_APP: Stage.DOWNLOAD_DATA,
    Stage.DOWNLOAD_DATA: Stage.COMPUTE,
    Stage.COMPUTE: Stage.CONTRIBUTE,
    Stage.CONTRIBUTE: Stage.AWAIT_REVEAL,
    Stage.REVEAL: Stage.AWAIT_UPLOAD,
    Stage.UPLOAD: Stage.AWAIT_END,
}

_CONTRIBUTE_FROM = frozenset(
    {Stage.AWAIT_REVEAL, Stage.REVEAL, Stage.AWAIT_UPLOAD, Stage.UPLOAD, Stage.AWAIT_END, Stage.FAILED}
)
_REVEAL_FROM = frozenset(
    {Stage.AWAIT_REVEAL, Stage.AWAIT_UPLOAD, Stage.UPLOAD, Stage.AWAIT_END, Stage.FAILED}
)
_UPLOAD_FROM = frozenset({Stage.AWAIT_UPLOAD, Stage.AWAIT_END, Stage.FAILED})


def after_command(stage: Stage, action: Action) -> Stage | None:
    """Return the stage a command leads to, or None when it changes nothing here.

    A command that repeats what is under way or already done changes nothing, so that a second copy of it is harmless.
    One that comes too early (REVEAL while the worker still waits for the receipt of its contribution) is kept until
    the running step is over. After a failure the scheduler may ask again; after a reorganisation of the chain too, and
    then a step that finds its transaction still standing sends nothing. ABORT is no stage: it ends whatever runs.
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
