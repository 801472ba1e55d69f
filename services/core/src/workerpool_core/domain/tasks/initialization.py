"""The initialization of tasks: from a deal to a task that is ACTIVE on chain (core spec §1.2, §7)."""

from workerpool_poco.protocol.ids import ZERO_ADDRESS, task_id_of
from workerpool_poco.protocol.statuses import TaskStatus

from workerpool_core.domain import transitions
from workerpool_core.domain.decisions import AskEnclaveChallenge
from workerpool_core.domain.dispatch.hardware import needs_enclave
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.events import EnclaveChallengeAnswered, TransactionKind
from workerpool_core.domain.model import DealTerms, Receipt, Task, TaskChange
from workerpool_core.domain.tasks import completion
from workerpool_core.domain.timers import Timeout


def is_executable(terms: DealTerms, now: float) -> bool:
    """Return whether a deal's tasks can be executed.

    The deal must have tasks, its contribution deadline must be ahead, and an enclave excludes a trust above 1.
    """
    if terms.bot_size <= 0 or terms.contribution_deadline <= now:
        return False
    return not needs_enclave(terms.tag) or terms.trust <= 1


def take_deal(context: EventContext, terms: DealTerms) -> None:
    """Create the tasks of a deal; tasks that exist already stay, so a replay is harmless.

    A deal that a reorganisation moved to another block gets the deadlines of that block.
    """
    if not is_executable(terms, context.now):
        return
    for index in range(terms.bot_first, terms.bot_first + terms.bot_size):
        name = task_id_of(terms.deal_id, index)
        if (known := context.state.task(name)) is not None:
            _update_terms(context, known, terms)
            continue
        if name in context.state.evicted:
            continue
        received = TaskChange(TaskStatus.RECEIVED, context.now, Receipt(terms.block))
        task = Task(name, index, terms, [received])
        transitions.create_task(context, task)
        set_deadlines(context, task)


def _update_terms(context: EventContext, task: Task, terms: DealTerms) -> None:
    if task.terms != terms:
        context.state.waiting.remove(task.task_id)
        transitions.update_task(context, task, terms=terms)
        context.tasks_to_match[task.task_id] = None
        if not task.ended:
            set_deadlines(context, task)


def set_deadlines(context: EventContext, task: Task) -> None:
    """Set the timers of a task's deadlines."""
    timers = context.state.timers
    timers.set(Timeout.FINAL_DEADLINE, task.task_id, task.terms.final_deadline)
    timers.set(Timeout.CONTRIBUTION_DEADLINE, task.task_id, task.terms.contribution_deadline)
    if task.reveal_deadline:
        timers.set(Timeout.REVEAL_DEADLINE, task.task_id, task.reveal_deadline)


def initialize(context: EventContext, task: Task) -> None:
    """Request a task's initialization. A third party may have initialized it already, with the same result."""
    if task.status is TaskStatus.RECEIVED:
        transitions.move_task(context, task, TaskStatus.INITIALIZING)
    context.request_transaction(TransactionKind.INITIALIZE, task)


def initialized(context: EventContext, task: Task, receipt: Receipt) -> None:
    """Record that a task is initialized on chain."""
    context.live(task).refused_at.pop(TransactionKind.INITIALIZE, None)
    if receipt.block != task.initialization_block:
        transitions.update_task(context, task, initialization_block=receipt.block)
        context.tasks_to_match[task.task_id] = None
    if task.status is TaskStatus.RECEIVED:
        transitions.move_task(context, task, TaskStatus.INITIALIZING)
    if task.status is not TaskStatus.INITIALIZING:
        return
    if needs_enclave(task.terms.tag):
        ask_challenge(context, task)
    else:
        transitions.move_task(
            context, task, TaskStatus.INITIALIZED, receipt=receipt, enclave_challenge=ZERO_ADDRESS
        )


def ask_challenge(context: EventContext, task: Task) -> None:
    """Request the enclave challenge of an ACTIVE task; retried until the contribution deadline."""
    if context.now >= task.terms.contribution_deadline:
        completion.fail_after_read(context, task, TaskStatus.INITIALIZE_FAILED)
        return
    context.effects.append(AskEnclaveChallenge(task.task_id, task.terms.tag))
    retry_at = context.now + context.state.policy.read_timeout_s
    context.state.timers.set(Timeout.RETRY, task.task_id, retry_at)


def challenge_answered(context: EventContext, event: EnclaveChallengeAnswered) -> None:
    """Finish the initialization of an enclave task; without a challenge it fails, as workers cannot contribute."""
    task = context.state.task(event.task_id)
    if task is None or task.status is not TaskStatus.INITIALIZING or not task.initialization_block:
        return
    if event.challenge in ("", ZERO_ADDRESS):
        completion.fail_after_read(context, task, TaskStatus.INITIALIZE_FAILED)
        return
    transitions.move_task(
        context,
        task,
        TaskStatus.INITIALIZED,
        receipt=Receipt(task.initialization_block),
        enclave_challenge=event.challenge,
        sms_url=event.sms_url,
    )
