"""The initialization of tasks: from a deal to a task that is ACTIVE on chain (core spec §1.2, §7)."""

from workerpool_poco.protocol.ids import ZERO_ADDRESS
from workerpool_poco.protocol.statuses import TaskStatus

from workerpool_core.domain import transitions
from workerpool_core.domain.dispatch.hardware import needs_enclave
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.events import TransactionKind
from workerpool_core.domain.model import Receipt, Task
from workerpool_core.domain.tasks import enclaves
from workerpool_core.domain.timers import Timeout


def set_deadlines(context: EventContext, task: Task) -> None:
    """Set the timers of a task's deadlines."""
    timers = context.state.timers
    timers.set(Timeout.FINAL_DEADLINE, task.task_id, task.terms.final_deadline)
    timers.set(Timeout.CONTRIBUTION_DEADLINE, task.task_id, task.terms.contribution_deadline)
    if task.reveal_deadline:
        timers.set(Timeout.REVEAL_DEADLINE, task.task_id, task.reveal_deadline)


def initialize(context: EventContext, task: Task) -> None:
    """Request a task's initialization; for an enclave task, find its SMS first.

    A third party may have initialized it already, with the same result.
    """
    if enclaves.lacks_sms(task):
        enclaves.find_sms(context, task)
        return
    if task.status is TaskStatus.RECEIVED:
        transitions.move_task(context, task, TaskStatus.INITIALIZING)
    context.request_transaction(TransactionKind.INITIALIZE, task)


def initialized(context: EventContext, task: Task, receipt: Receipt) -> None:
    """Record that a task is initialized on chain."""
    context.live(task).refused_at.pop(TransactionKind.INITIALIZE, None)
    if receipt.block != task.initialization_block:
        transitions.update_task(context, task, initialization_block=receipt.block)
        context.tasks_to_match[task.task_id] = None
    if enclaves.lacks_sms(task):
        return
    if task.status is TaskStatus.RECEIVED:
        transitions.move_task(context, task, TaskStatus.INITIALIZING)
    if task.status is not TaskStatus.INITIALIZING:
        return
    if needs_enclave(task.terms.tag):
        enclaves.request_challenge(context, task)
    else:
        transitions.move_task(
            context, task, TaskStatus.INITIALIZED, receipt=receipt, enclave_challenge=ZERO_ADDRESS
        )
