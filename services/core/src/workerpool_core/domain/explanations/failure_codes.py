"""The code of a failure: by its cause where the cause says more than the side, else by the side."""

from collections.abc import Mapping

from workerpool_poco.protocol.causes import ReplicateStatusCause, Side

from workerpool_core.domain.dispatch.hardware import needs_enclave
from workerpool_core.domain.explanations.reason_codes import ReasonCode
from workerpool_core.domain.model import Task

_C = ReplicateStatusCause

BY_SIDE: Mapping[Side, ReasonCode] = {
    Side.APP: ReasonCode.APP_FAILED,
    Side.REQUESTER: ReasonCode.ORDER_INVALID,
    Side.WORKER: ReasonCode.WORKERS_FAILED,
    Side.POOL: ReasonCode.POOL_FAILED,
    Side.CHAIN: ReasonCode.CHAIN_FAILED,
}


def code_of(task: Task, side: Side, cause: ReplicateStatusCause | None) -> ReasonCode:
    """Return the code of a failure of a task."""
    match cause:
        case _C.UNKNOWN_SMS:
            return ReasonCode.NO_SMS
        case _C.CONTRIBUTION_TIMEOUT:
            return ReasonCode.CONTRIBUTION_DEADLINE_PASSED
        case _C.DEAL_PARAMS_INVALID if task.terms.result_encryption and not needs_enclave(task.terms.tag):
            return ReasonCode.ENCRYPTION_WITHOUT_ENCLAVE
    return BY_SIDE[side]
