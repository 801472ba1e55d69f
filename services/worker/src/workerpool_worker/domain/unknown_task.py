"""What to answer when the scheduler asks for something about a task of which nothing is here."""

from workerpool_poco.protocol.statuses import ReplicateStatus as S
from workerpool_poco.protocol.statuses import ReplicateStatusCause as Cause

from workerpool_worker.domain.record import Command
from workerpool_worker.domain.stages import Action
from workerpool_worker.domain.updates import Details


def answer_for_unheld(command: Command, *, ended: bool) -> list[tuple[S, Details]]:
    """Return the statuses that answer a command about an unknown task.

    COMPLETE and ABORT want the worker to hold nothing, which is the case. A result that is not here can neither be
    revealed nor uploaded, so the scheduler can at once look for another worker. When the replicate ``ended`` here, its
    last word is on its way already.
    """
    lost = "nothing of this task is on the worker any more"
    if ended:
        return []
    if command.action is Action.COMPLETE:
        return [(S.COMPLETING, Details()), (S.COMPLETED, Details())]
    if command.action is Action.ABORT:
        return [(S.ABORTED, Details(cause=command.cause or Cause.UNKNOWN))]
    if command.action is Action.REVEAL:
        return [(S.REVEAL_FAILED, Details(cause=Cause.DETERMINISM_HASH_NOT_FOUND, error_message=lost))]
    if command.action is Action.UPLOAD:
        return [(S.RESULT_UPLOAD_FAILED, Details(cause=Cause.RESULT_LINK_MISSING, error_message=lost))]
    return []
