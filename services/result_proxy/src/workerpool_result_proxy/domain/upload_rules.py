"""What makes an upload acceptable on chain: the uploader revealed exactly this result (worker spec C)."""

from enum import Enum

from workerpool_poco.protocol.model import ChainTask, Contribution, Deal
from workerpool_poco.protocol.results import result_hash
from workerpool_poco.protocol.statuses import ChainTaskStatus, ContributionStatus
from workerpool_poco.protocol.tags import requires_enclave

from workerpool_result_proxy.errors import (
    ArchiveTooLarge,
    CallbackTask,
    NotRevealed,
    ResultHashMismatch,
    TaskNotRevealing,
    TeeNotSupported,
)


class Readiness(Enum):
    """Whether the chain allows an upload now."""

    READY = "ready"
    NOT_YET = "not yet"
    """It may be that our node has not seen the worker's latest transaction."""


def check_size(size: int, max_size: int) -> None:
    """Refuse a declared size (bytes) above the limit before any byte is sent."""
    if size > max_size:
        raise ArchiveTooLarge(
            f"an archive may have {max_size} bytes, not {size}", details={"max_size": max_size, "size": size}
        )


def check_kind(deal: Deal) -> None:
    """Refuse tasks whose results do not come this way."""
    if requires_enclave(deal.tag):
        raise TeeNotSupported("this proxy does not take results of TEE tasks yet")
    if deal.has_callback:
        raise CallbackTask("a callback task hands its result to the contract; nothing is to be uploaded")


def readiness(task: ChainTask, contribution: Contribution) -> Readiness:
    """Tell whether the uploader may upload.

    Raises when waiting cannot help: the task is over, or the uploader took no part in it. A reveal that our node
    does not know yet looks like a task that still collects contributions, or a contribution not revealed yet.
    """
    if task.status in (ChainTaskStatus.UNSET, ChainTaskStatus.ACTIVE):
        return Readiness.NOT_YET
    if task.status is not ChainTaskStatus.REVEALING:
        raise TaskNotRevealing(f"the task is {task.status.name}; results are taken while it is REVEALING")
    if contribution.status is ContributionStatus.PROVED:
        return Readiness.READY
    if contribution.status is ContributionStatus.CONTRIBUTED:
        return Readiness.NOT_YET
    raise NotRevealed("this wallet has no contribution to the task that could be revealed")


def not_ready(task: ChainTask, contribution: Contribution) -> TaskNotRevealing | NotRevealed:
    """Return the refusal for a state that stayed `NOT_YET` until the deadline."""
    if task.status is not ChainTaskStatus.REVEALING:
        return TaskNotRevealing(f"the task is {task.status.name}; results are taken while it is REVEALING")
    return NotRevealed(f"the contribution of this wallet is {contribution.status.name}; reveal it first")


def check_digest(task_id: bytes, digest: bytes, contribution: Contribution, *, what: str) -> None:
    """Compare a digest with the uploader's ``resultHash`` on chain; `what` names the digest's source in the refusal."""
    if result_hash(task_id, digest) != contribution.result_hash:
        raise ResultHashMismatch(f"{what} is not what this wallet contributed on chain")
