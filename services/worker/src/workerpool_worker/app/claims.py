"""What becomes of a replicate when the scheduler forgets it, and when it assigns the task again."""

from workerpool_poco.protocol.statuses import ReplicateStatus

from workerpool_worker.app.replicate import Replicate
from workerpool_worker.domain.assignment import Assignment
from workerpool_worker.domain.departure import may_be_handed_over
from workerpool_worker.domain.record import Command
from workerpool_worker.domain.stages import TO_COMPUTED, Action, Stage


def disown(replicate: Replicate) -> bool:
    """Handle that the scheduler does not know a replicate; return whether it ends.

    It continues while its contribution may be on chain, where the scheduler finds it: the stake is lost otherwise.
    """
    if replicate.discarded or may_be_handed_over(replicate.record):
        replicate.discard()
        return True
    replicate.unclaimed.begin(lambda: replicate.record.stage is Stage.CONTRIBUTE)
    return False


def claim(replicate: Replicate, assignment: Assignment) -> None:
    """Continue a disowned replicate under a new assignment: repeat the reports that the scheduler has lost."""
    replicate.unclaimed.end()
    replicate.assignment, replicate.task = assignment, assignment.task
    replicate.context.journal.save_assignment(assignment.wire, replicate.record)
    repeated = TO_COMPUTED
    if replicate.record.stage is Stage.CONTRIBUTE and replicate.record.status is ReplicateStatus.CONTRIBUTING:
        repeated = (*TO_COMPUTED, ReplicateStatus.CONTRIBUTING)
    for status in repeated:
        replicate.repeat_report(status)
    # The step finds the contribution on chain. Sequence 0 marks a command of the worker itself.
    replicate.accept_command(Command(0, replicate.record.task_id, Action.CONTRIBUTE))
