"""Answers of the chain adapter, the result proxy and the SMS."""

from dataclasses import dataclass
from enum import Enum

from workerpool_poco.protocol.causes import ReplicateStatusCause
from workerpool_poco.protocol.ids import TaskId


class TransactionKind(Enum):
    """Transactions of the pool owner."""

    INITIALIZE = "INITIALIZE"
    FINALIZE = "FINALIZE"
    REOPEN = "REOPEN"
    CLAIM = "CLAIM"


@dataclass(frozen=True, slots=True)
class TransactionAnswered:
    """The answer to RequestTransaction.

    `succeeded` is True when the effect is on chain, in `block` (0 when unknown); False when the adapter refused the
    transaction or it failed, for `reason`; None when the adapter is unreachable or does not know yet.
    """

    task_id: TaskId
    kind: TransactionKind
    succeeded: bool | None
    block: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ResultChecked:
    """The answer to CheckResult: whether the result proxy holds the archive; None when it did not answer."""

    task_id: TaskId
    stored: bool | None
    result_link: str = ""


@dataclass(frozen=True, slots=True)
class SmsFound:
    """An answer to FindSms: the SMS at `sms_url` serves the task's TEE framework."""

    task_id: TaskId
    sms_url: str


@dataclass(frozen=True, slots=True)
class EnclaveChallengeAnswered:
    """An answer to RequestEnclaveChallenge: the challenge address."""

    task_id: TaskId
    challenge: str
    sms_url: str


@dataclass(frozen=True, slots=True)
class SmsRefused:
    """An answer to FindSms or RequestEnclaveChallenge: no SMS serves the task, for the reason in `message`."""

    task_id: TaskId
    cause: ReplicateStatusCause
    message: str


@dataclass(frozen=True, slots=True)
class SmsUnreachable:
    """An answer to FindSms or RequestEnclaveChallenge: a service did not answer, as `message` says; retry later."""

    task_id: TaskId
    message: str
