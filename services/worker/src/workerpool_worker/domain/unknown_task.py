"""Answers to commands about a task of which the worker holds no replicate."""

from workerpool_poco.protocol.statuses import ReplicateStatus as S
from workerpool_poco.protocol.statuses import ReplicateStatusCause as Cause

from workerpool_worker.domain.record import Command
from workerpool_worker.domain.stages import Action
from workerpool_worker.domain.updates import Details

_LOST = "the worker holds no replicate of this task"


def statuses_for_unknown_task(command: Command, *, ended: bool) -> list[tuple[S, Details]]:
    """Return the statuses that answer a command about an unknown task.

    COMPLETE and ABORT succeed, because the worker holds nothing. CONTRIBUTE, REVEAL and UPLOAD fail, so the
    scheduler can select another worker at once. If the replicate `ended` on this worker, its final status is already
    in the outbox and the answer is empty.
    """
    if ended:
        return []
    if command.action is Action.COMPLETE:
        return [(S.COMPLETING, Details()), (S.COMPLETED, Details())]
    if command.action is Action.ABORT:
        return [(S.ABORTED, Details(cause=command.cause or Cause.UNKNOWN))]
    if command.action is Action.CONTRIBUTE:
        lost = Details(cause=Cause.DETERMINISM_HASH_NOT_FOUND, error_message=_LOST)
        return [(S.CONTRIBUTING, Details()), (S.CONTRIBUTE_FAILED, lost)]
    if command.action is Action.REVEAL:
        return [(S.REVEAL_FAILED, Details(cause=Cause.DETERMINISM_HASH_NOT_FOUND, error_message=_LOST))]
    if command.action is Action.UPLOAD:
        return [(S.RESULT_UPLOAD_FAILED, Details(cause=Cause.RESULT_LINK_MISSING, error_message=_LOST))]
    return []
