"""The secret management service (SMS) of enclave tasks: found before a task is initialized (core spec §1.2, §5.2).

A task that no SMS serves fails before it costs a transaction. One whose SMS does not answer waits, with a reason. The
SMS issues the enclave challenge for initialized tasks only, so a second request fetches it.
"""

from typing import Any

from workerpool_poco.protocol.causes import ReplicateStatusCause
from workerpool_poco.protocol.ids import ZERO_ADDRESS
from workerpool_poco.protocol.statuses import TaskStatus

from workerpool_core.domain import transitions
from workerpool_core.domain.decisions import FindSms, RequestEnclaveChallenge
from workerpool_core.domain.dispatch.hardware import needs_enclave
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.events import (
    EnclaveChallengeAnswered,
    SmsFound,
    SmsRefused,
    SmsUnreachable,
    TransactionKind,
)
from workerpool_core.domain.explanations.reason_codes import ReasonCode
from workerpool_core.domain.explanations.reasons import reason
from workerpool_core.domain.model import Receipt, Task
from workerpool_core.domain.tasks import completion
from workerpool_core.domain.timers import Timeout

_C = ReplicateStatusCause
_T = TaskStatus
_NO_CHALLENGE = "the SMS answered without an enclave challenge; the pool's operator must check the SMS"


def lacks_sms(task: Task) -> bool:
    """Return whether a task needs an SMS that was not found yet."""
    return task.status is _T.RECEIVED and needs_enclave(task.terms.tag) and not task.sms_url


def find_sms(context: EventContext, task: Task) -> None:
    """Request the SMS of a task's framework; retried until the contribution deadline."""
    if context.now >= task.terms.contribution_deadline:
        fields = _timed_out(context, task)
        completion.fail(context, task, _T.INITIALIZE_FAILED, **fields)
        return
    timers = context.state.timers
    if not timers.is_set(Timeout.RETRY, task.task_id):
        context.effects.append(FindSms(task.task_id, task.terms.tag))
        timers.set(Timeout.RETRY, task.task_id, context.now + context.state.policy.read_timeout_s)


def sms_found(context: EventContext, event: SmsFound) -> None:
    """Initialize a task whose SMS was found. If a third party did so already, request the challenge."""
    task = context.state.task(event.task_id)
    if task is None or not lacks_sms(task):
        return
    context.state.timers.cancel(Timeout.RETRY, task.task_id)
    transitions.move_task(context, task, _T.INITIALIZING, sms_url=event.sms_url)
    if task.initialization_block:
        request_challenge(context, task)
    else:
        context.request_transaction(TransactionKind.INITIALIZE, task)


def request_challenge(context: EventContext, task: Task) -> None:
    """Request the enclave challenge of an ACTIVE task; retried until the contribution deadline."""
    if context.now >= task.terms.contribution_deadline:
        transitions.update_task(context, task, **_timed_out(context, task))
        completion.fail_after_read(context, task, _T.INITIALIZE_FAILED)
        return
    context.effects.append(RequestEnclaveChallenge(task.task_id, task.terms.tag))
    retry_at = context.now + context.state.policy.read_timeout_s
    context.state.timers.set(Timeout.RETRY, task.task_id, retry_at)


def challenge_answered(context: EventContext, event: EnclaveChallengeAnswered) -> None:
    """Finish the initialization of a task."""
    task = context.state.task(event.task_id)
    if task is None or not _awaits_challenge(task):
        return
    context.live(task).service_problem = None
    if event.challenge in ("", ZERO_ADDRESS):
        _refuse(context, task, _C.TEE_PREPARATION_FAILED, _NO_CHALLENGE)
        return
    transitions.move_task(
        context,
        task,
        _T.INITIALIZED,
        receipt=Receipt(task.initialization_block),
        enclave_challenge=event.challenge,
        sms_url=event.sms_url,
        # An SMS that refused before a reorganisation may serve the task now.
        error_cause=None,
        error_message="",
    )


def sms_refused(context: EventContext, event: SmsRefused) -> None:
    """Fail a task that no SMS serves: without a challenge no worker can contribute."""
    task = context.state.task(event.task_id)
    if task is None:
        return
    if lacks_sms(task):
        fields: dict[str, Any] = {"error_cause": event.cause, "error_message": event.message}
        completion.fail(context, task, _T.INITIALIZE_FAILED, **fields)
    elif _awaits_challenge(task):
        _refuse(context, task, event.cause, event.message)


def sms_unreachable(context: EventContext, event: SmsUnreachable) -> None:
    """Record why a task waits, and schedule a retry."""
    task = context.state.task(event.task_id)
    if task is None or not (lacks_sms(task) or _awaits_challenge(task)):
        return
    context.note_service_problem(
        task, reason(ReasonCode.SMS_DOWN, event.message, evidence={"tag": task.terms.tag})
    )
    retry_at = context.now + context.state.policy.retry_s
    context.state.timers.set(Timeout.RETRY, task.task_id, retry_at)


def _awaits_challenge(task: Task) -> bool:
    return task.status is _T.INITIALIZING and task.initialization_block > 0 and needs_enclave(task.terms.tag)


def _refuse(context: EventContext, task: Task, cause: ReplicateStatusCause, message: str) -> None:
    transitions.update_task(context, task, error_cause=cause, error_message=message)
    completion.fail_after_read(context, task, _T.INITIALIZE_FAILED)


def _timed_out(context: EventContext, task: Task) -> dict[str, Any]:
    """Return the failure of a task whose SMS did not answer until the contribution deadline."""
    service_problem = context.live(task).service_problem
    detail = f": {service_problem.message}" if service_problem is not None else ""
    return {
        "error_cause": _C.GET_TEE_SERVICES_CONFIGURATION_FAILED,
        "error_message": f"no SMS answered until the contribution deadline{detail}",
    }
