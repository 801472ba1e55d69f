"""Tables of the replicate state machine: the transitions, and the next action of the worker (core spec §2.2, §2.6).

`PROVEN` adds the transitions that the chain or the result proxy can prove after a worker gave up, for example because
its transaction was mined after all. They repair the history.
"""

from collections.abc import Mapping, Sequence
from enum import Enum

from workerpool_poco.protocol.causes import ReplicateStatusCause
from workerpool_poco.protocol.statuses import INTERLUDE_REPLICATE_STATUSES, ReplicateStatus

from workerpool_core.domain.model import Action, Replicate
from workerpool_core.domain.replicates.failures import DOWNLOAD_FAILURES, OUTCOMES, is_failed

_R = ReplicateStatus
_F, _L, _V, _A = _R.FAILED, _R.WORKER_LOST, _R.RECOVERING, _R.ABORTED
_ALL = frozenset(ReplicateStatus)

REPLICATE_TRANSITIONS: Mapping[ReplicateStatus, frozenset[ReplicateStatus]] = {
    _R.CREATED: frozenset({_R.STARTING, _F, _L, _V, _A}),
    _R.STARTING: frozenset({_R.STARTED, _R.START_FAILED, _F, _L, _V, _A}),
    _R.START_FAILED: frozenset({_F, _L, _A}),
    _R.STARTED: frozenset({_R.APP_DOWNLOADING, _F, _L, _V, _A}),
    _R.APP_DOWNLOADING: frozenset({_R.APP_DOWNLOADED, _R.APP_DOWNLOAD_FAILED, _F, _L, _V, _A}),
    _R.APP_DOWNLOAD_FAILED: frozenset({_R.CONTRIBUTING, _F, _L, _V, _A}),
    _R.APP_DOWNLOADED: frozenset({_R.DATA_DOWNLOADING, _F, _L, _V, _A}),
    _R.DATA_DOWNLOADING: frozenset({_R.DATA_DOWNLOADED, _R.DATA_DOWNLOAD_FAILED, _F, _L, _V, _A}),
    _R.DATA_DOWNLOAD_FAILED: frozenset({_R.CONTRIBUTING, _F, _L, _V, _A}),
    _R.DATA_DOWNLOADED: frozenset({_R.COMPUTING, _F, _L, _V, _A}),
    _R.COMPUTING: frozenset({_R.COMPUTED, _R.COMPUTE_FAILED, _F, _L, _V, _A}),
    _R.COMPUTE_FAILED: frozenset({_F, _L, _A}),
    _R.COMPUTED: frozenset({_R.CONTRIBUTING, _R.CONTRIBUTE_AND_FINALIZE_ONGOING, _F, _L, _V, _A}),
    _R.CONTRIBUTING: frozenset({_R.CONTRIBUTED, _R.CONTRIBUTE_FAILED, _F, _L, _V, _A}),
    _R.CONTRIBUTE_FAILED: frozenset({_F, _L, _A}),
    _R.CONTRIBUTED: frozenset({_R.REVEALING, _F, _L, _V, _A}),
    _R.REVEALING: frozenset({_R.REVEALED, _R.REVEAL_FAILED, _F, _L, _V, _A}),
    _R.REVEAL_FAILED: frozenset({_F, _L, _A}),
    _R.REVEALED: frozenset({_R.RESULT_UPLOAD_REQUESTED, _R.COMPLETING, _L, _V, _A}),
    _R.RESULT_UPLOAD_REQUESTED: frozenset({_R.RESULT_UPLOADING, _L, _V, _A}),
    _R.RESULT_UPLOADING: frozenset({_R.RESULT_UPLOADED, _R.RESULT_UPLOAD_FAILED, _L, _V, _A}),
    _R.RESULT_UPLOAD_FAILED: frozenset({_R.COMPLETING, _L, _V, _A}),
    _R.RESULT_UPLOADED: frozenset({_R.COMPLETING, _L, _V, _A}),
    _R.CONTRIBUTE_AND_FINALIZE_ONGOING: frozenset(
        {_R.CONTRIBUTE_AND_FINALIZE_DONE, _R.CONTRIBUTE_AND_FINALIZE_FAILED, _F, _L, _V, _A}
    ),
    _R.CONTRIBUTE_AND_FINALIZE_FAILED: frozenset({_F, _L, _V, _A}),
    _R.CONTRIBUTE_AND_FINALIZE_DONE: frozenset({_R.COMPLETING, _L, _V, _A}),
    _R.COMPLETING: frozenset({_R.COMPLETED, _R.COMPLETE_FAILED, _L, _V, _A}),
    _R.COMPLETE_FAILED: frozenset({_L, _A}),
    _R.COMPLETED: frozenset(),
    _R.FAILED: frozenset(),
    _R.ABORTED: frozenset({_R.COMPLETED, _F, _L}),
    _R.RECOVERING: _ALL - {_R.CREATED, _R.STARTING},
    _R.WORKER_LOST: _ALL - {_R.WORKER_LOST},
}
"""The statuses that may follow each *current* status (not the last relevant one)."""

_NO_WORK = INTERLUDE_REPLICATE_STATUSES | {_F, _A}
_GAVE_UP = frozenset({_R.START_FAILED, _R.COMPUTE_FAILED, _R.CONTRIBUTE_FAILED, _R.ABORTED})

PROVEN: Mapping[ReplicateStatus, frozenset[ReplicateStatus]] = {
    _R.CONTRIBUTED: _GAVE_UP,
    _R.REVEALED: _GAVE_UP | {_R.REVEAL_FAILED},
    _R.CONTRIBUTE_AND_FINALIZE_DONE: _GAVE_UP | {_R.CONTRIBUTE_AND_FINALIZE_FAILED},
    _R.RESULT_UPLOADED: frozenset({_R.RESULT_UPLOAD_FAILED}),
}
"""The dead ends from which the scheduler may record each status that the chain or the result proxy proves."""

_TO_COMPUTED = (
    _R.CREATED,
    _R.STARTING,
    _R.STARTED,
    _R.APP_DOWNLOADING,
    _R.APP_DOWNLOADED,
    _R.DATA_DOWNLOADING,
    _R.DATA_DOWNLOADED,
    _R.COMPUTING,
    _R.COMPUTED,
)
_STANDARD_PATH = (*_TO_COMPUTED, _R.CONTRIBUTING, _R.CONTRIBUTED, _R.REVEALING, _R.REVEALED)
_UPLOAD_PATH = (*_STANDARD_PATH, _R.RESULT_UPLOAD_REQUESTED, _R.RESULT_UPLOADING, _R.RESULT_UPLOADED)
_CAF_PATH = (*_TO_COMPUTED, _R.CONTRIBUTE_AND_FINALIZE_ONGOING, _R.CONTRIBUTE_AND_FINALIZE_DONE)
_SUCCESS_PATHS: Mapping[ReplicateStatus, tuple[ReplicateStatus, ...]] = {
    _R.CONTRIBUTED: _STANDARD_PATH,
    _R.REVEALED: _STANDARD_PATH,
    _R.RESULT_UPLOADING: _UPLOAD_PATH,
    _R.RESULT_UPLOADED: _UPLOAD_PATH,
    _R.CONTRIBUTE_AND_FINALIZE_DONE: _CAF_PATH,
}

SLOT_STATUSES = frozenset(_TO_COMPUTED) - {_R.COMPUTED}
"""A replicate whose last relevant status is one of these occupies a computing slot of its worker."""

_NEXT_ACTION: Mapping[ReplicateStatus, Action] = {
    **dict.fromkeys(
        (
            _R.STARTING,
            _R.APP_DOWNLOADING,
            _R.DATA_DOWNLOADING,
            _R.COMPUTING,
            _R.CONTRIBUTING,
            _R.REVEALING,
            _R.RESULT_UPLOADING,
            _R.CONTRIBUTE_AND_FINALIZE_ONGOING,
            _R.COMPLETING,
        ),
        Action.CONTINUE,
    ),
    _R.STARTED: Action.DOWNLOAD_APP,
    _R.APP_DOWNLOADED: Action.DOWNLOAD_DATA,
    _R.DATA_DOWNLOADED: Action.COMPUTE,
    **dict.fromkeys(
        (
            _R.START_FAILED,
            _R.COMPUTE_FAILED,
            _R.CONTRIBUTE_FAILED,
            _R.REVEAL_FAILED,
            _R.RESULT_UPLOAD_FAILED,
            _R.CONTRIBUTE_AND_FINALIZE_FAILED,
            _R.COMPLETE_FAILED,
        ),
        Action.ABORT,
    ),
}


class Verdict(Enum):
    """The relation of a reported status to a replicate's history (core spec §2.5, steps 2 and 3)."""

    LEGAL = "LEGAL"
    ALREADY_REPORTED = "ALREADY_REPORTED"
    BAD_WORKFLOW_TRANSITION = "BAD_WORKFLOW_TRANSITION"


class IllegalReplicateTransition(Exception):
    """A transition that the tables do not allow: a defect of the scheduler, never of its input."""


def may_follow(current: ReplicateStatus, new: ReplicateStatus) -> bool:
    """Return whether a replicate with the status `current` may enter `new`."""
    return new in REPLICATE_TRANSITIONS[current]


def may_be_proven(current: ReplicateStatus, new: ReplicateStatus) -> bool:
    """Return whether a proof may repair a replicate from the dead end `current` to `new`."""
    return current in PROVEN.get(new, ())


def judge(replicate: Replicate, new: ReplicateStatus) -> Verdict:
    """Return whether `new` may be recorded; a status that the history contains anywhere was already reported.

    Almost any status may follow an interlude, except one before the progress already made. An aborted replicate stays
    aborted, because its worker may have other work.
    """
    if replicate.has_reached(new):
        return Verdict.ALREADY_REPORTED
    current = replicate.status
    if not may_follow(current, new):
        return Verdict.BAD_WORKFLOW_TRANSITION
    if current in INTERLUDE_REPLICATE_STATUSES:
        aborted = replicate.last_relevant is _A and not may_follow(_A, new)
        if aborted or _is_passed(replicate, new):
            return Verdict.BAD_WORKFLOW_TRANSITION
    return Verdict.LEGAL


def is_provable(replicate: Replicate, new: ReplicateStatus) -> bool:
    """Return whether a proof may repair a replicate that gave up to `new`."""
    return may_be_proven(replicate.status, new) and not _is_passed(replicate, new)


def _is_passed(replicate: Replicate, new: ReplicateStatus) -> bool:
    """Return whether the replicate has already passed `new` in the protocol's order of statuses."""
    return any(c.status not in _NO_WORK and c.status.order > new.order for c in replicate.history)


def missing_statuses(replicate: Replicate, target: ReplicateStatus) -> Sequence[ReplicateStatus]:
    """Return the statuses to record so that a replicate reaches a proven `target` (core spec §2.7).

    Empty when the history already has the target or when no legal path leads to it (from FAILED).
    """
    if replicate.has_reached(target) or _is_passed(replicate, target):
        return ()
    last = replicate.last_relevant
    path = _SUCCESS_PATHS[target]
    if last in DOWNLOAD_FAILURES and _R.CONTRIBUTING in path:
        start = path.index(_R.CONTRIBUTING)
    elif last in path and path.index(last) < path.index(target):
        start = path.index(last) + 1
    elif may_be_proven(replicate.status, target) or may_follow(replicate.status, target):
        return (target,)
    else:
        return ()
    steps = list(path[start : path.index(target) + 1])
    return steps if may_follow(replicate.status, steps[0]) else ()


def next_action(status: ReplicateStatus, cause: ReplicateStatusCause | None, caf_eligible: bool) -> Action:
    """Return the worker's next action after `status` was stored (core spec §2.6).

    A worker that holds an error result waits: the decision about it follows as a command.
    """
    if status is _R.COMPUTED and cause is None:
        return Action.CONTRIBUTE_AND_FINALIZE if caf_eligible else Action.CONTRIBUTE
    if status in OUTCOMES:
        return Action.ABORT if is_failed(status, cause) else Action.WAIT
    return _NEXT_ACTION.get(status, Action.WAIT)
