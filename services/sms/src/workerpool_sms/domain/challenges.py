"""The enclave challenge of a task: its key pair, and the rules for its creation (worker spec D)."""

from dataclasses import dataclass

from workerpool_poco.protocol.authorization import sms_challenge_hash
from workerpool_poco.protocol.ids import Address, TaskId
from workerpool_poco.protocol.model import ChainTask, Deal
from workerpool_poco.protocol.statuses import ChainTaskStatus

from workerpool_sms.domain.frameworks import Framework, framework_of
from workerpool_sms.domain.sealed import Sealed
from workerpool_sms.domain.secrets import signer_of
from workerpool_sms.errors import (
    DealNotOnChain,
    EnclaveMismatch,
    FinalDeadlineReached,
    NotSignedByPoolOwner,
    TaskNotActive,
    TaskNotOnChain,
)

PURGE_BATCH = 500
"""Most challenges that one database call of a purge removes."""
KEPT_WITHOUT_DEADLINE_S = 5 * 86_400
"""Seconds after which a challenge without a final deadline is removed."""


@dataclass(frozen=True, slots=True)
class EnclaveChallenge:
    """The key pair of a task; times in Unix seconds, `final_deadline` None when unknown."""

    task_id: TaskId
    address: Address
    private_key: Sealed
    created_at: float
    final_deadline: int | None


def key_purpose(task_id: TaskId) -> str:
    """Return the purpose to which an encrypted private key is bound."""
    return f"challenge:{task_id}"


def check_task(task: ChainTask, deal: Deal, framework: Framework, *, now: float) -> None:
    """Raise the refusal of a task that is not active, or whose deal requires another framework.


    A task or deal that is not on chain reads as zeros; `now` in Unix seconds.
    """
    if task.status is ChainTaskStatus.UNSET:
        raise TaskNotOnChain(
            "this task is not on chain; check that it is initialized and that this is its chain"
        )
    if task.status is not ChainTaskStatus.ACTIVE:
        raise TaskNotActive(f"this task is {task.status.name} on chain, no longer ACTIVE; buy a new task")
    if now >= task.final_deadline:
        raise FinalDeadlineReached("the final deadline of this task has passed; buy a new task")
    if not deal.exists:
        raise DealNotOnChain("the deal of this task is not on chain; check that this is its chain")
    wanted = framework_of(deal.tag)
    if wanted is not framework:
        required = "no TEE framework" if wanted is None else wanted.label
        raise EnclaveMismatch(
            f"the tag of the deal requires {required}, and this SMS serves {framework.label}; use the SMS of that "
            "framework"
        )


def check_owner_signature(task_id: TaskId, deal: Deal, signature: bytes) -> None:
    """Raise NotSignedByPoolOwner unless the owner of the deal's workerpool signed `keccak256(taskid)`."""
    if signer_of(sms_challenge_hash(task_id), signature) != deal.workerpool.owner:
        raise NotSignedByPoolOwner(
            f"the request is not signed by {deal.workerpool.owner}, the owner of the deal's workerpool; sign "
            "keccak256 of the task id with that wallet"
        )
