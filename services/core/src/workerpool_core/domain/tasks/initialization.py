"""From a deal to tasks that are ACTIVE on chain (core spec §1.2, §7)."""

from workerpool_poco.protocol.ids import ZERO_ADDRESS, bytes32, task_id, to_hex
from workerpool_poco.protocol.statuses import TaskStatus

from workerpool_core.domain.decisions import AskEnclaveChallenge
from workerpool_core.domain.dispatch.supply import needs_enclave
from workerpool_core.domain.event_context import Turn
from workerpool_core.domain.events import TransactionKind
from workerpool_core.domain.model import DealTerms, Receipt, Task, TaskChange
from workerpool_core.domain.tasks import completion
from workerpool_core.domain.timers import Alarm


def is_wanted(terms: DealTerms, now: float) -> bool:
    """Tell whether the deal's tasks can be done: in time, a bag that is not empty, no enclave with trust above 1."""
    if terms.bot_size <= 0 or terms.contribution_deadline <= now:
        return False
    return not needs_enclave(terms.tag) or terms.trust <= 1


def take_deal(turn: Turn, terms: DealTerms) -> None:
    """Cut a deal into tasks; those that are known already are left alone, so replay is harmless.

    A deal that came back in another block after a reorganisation has the deadlines of that block.
    """
    if not is_wanted(terms, turn.now):
        return
    deal = bytes32(terms.deal_id)
    for index in range(terms.bot_first, terms.bot_first + terms.bot_size):
        name = to_hex(task_id(deal, index))
        if (known := turn.state.tasks.get(name)) is not None:
            _take_terms(turn, known, terms)
            continue
        if name in turn.state.ended:
            continue
        received = TaskChange(TaskStatus.RECEIVED, turn.now, Receipt(terms.block))
        task = Task(name, index, terms, [received])
        turn.create_task(task)
        arm_deadlines(turn, task)


def _take_terms(turn: Turn, task: Task, terms: DealTerms) -> None:
    if task.terms != terms:
        turn.state.waiting.remove(task.task_id)
        turn.set_task(task, terms=terms)
        turn.reshelve[task.task_id] = None
        if not task.ended:
            arm_deadlines(turn, task)


def arm_deadlines(turn: Turn, task: Task) -> None:
    """Set the alarms for the deadlines that a task's status still has to meet."""
    timers = turn.state.timers
    timers.set(Alarm.FINAL_DEADLINE, task.task_id, task.terms.final_deadline)
    timers.set(Alarm.CONTRIBUTION_DEADLINE, task.task_id, task.terms.contribution_deadline)
    if task.reveal_deadline:
        timers.set(Alarm.REVEAL_DEADLINE, task.task_id, task.reveal_deadline)


def initialize(turn: Turn, task: Task) -> None:
    """Ask for the task's initialization; anybody may have sent it already, which is as good."""
    if task.status is TaskStatus.RECEIVED:
        turn.move_task(task, TaskStatus.INITIALIZING)
    turn.request(TransactionKind.INITIALIZE, task)


def initialized(turn: Turn, task: Task, receipt: Receipt) -> None:
    """Take note that the chain knows the task, whoever initialized it."""
    turn.state.refused.pop((task.task_id, TransactionKind.INITIALIZE), None)
    if receipt.block != task.initialization_block:
        turn.set_task(task, initialization_block=receipt.block)
        turn.reshelve[task.task_id] = None
    if task.status is TaskStatus.RECEIVED:
        turn.move_task(task, TaskStatus.INITIALIZING)
    if task.status is not TaskStatus.INITIALIZING:
        return
    if not needs_enclave(task.terms.tag):
        turn.move_task(task, TaskStatus.INITIALIZED, receipt=receipt, enclave_challenge=ZERO_ADDRESS)
    else:
        ask_challenge(turn, task)


def ask_challenge(turn: Turn, task: Task) -> None:
    """Ask for the enclave challenge of a task that is ACTIVE; asked again, while it is of use, when no answer comes."""
    if turn.now >= task.terms.contribution_deadline:
        completion.fail_unless_chain_knows_better(turn, task, TaskStatus.INITIALIZE_FAILED)
        return
    turn.effects.append(AskEnclaveChallenge(task.task_id, task.terms.tag))
    turn.state.timers.set(Alarm.RETRY, task.task_id, turn.now + turn.state.policy.read_timeout_s)


def challenge_answered(turn: Turn, task: Task, challenge: str, sms_url: str) -> None:
    """Finish the initialization of an enclave task, or give it up: without a challenge nobody can contribute."""
    if task.status is not TaskStatus.INITIALIZING or not task.initialization_block:
        return
    if challenge in ("", ZERO_ADDRESS):
        completion.fail_unless_chain_knows_better(turn, task, TaskStatus.INITIALIZE_FAILED)
        return
    receipt = Receipt(task.initialization_block)
    turn.move_task(
        task, TaskStatus.INITIALIZED, receipt=receipt, enclave_challenge=challenge, sms_url=sms_url
    )
