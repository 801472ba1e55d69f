"""The conditions of the chain for an upload: its uploader revealed exactly this result (worker spec C)."""

from enum import Enum

from workerpool_poco.protocol.ids import TaskId
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
    """The proxy's node may not have seen the worker's latest transaction."""


def check_size(size: int, max_size: int) -> None:
    """Raise `ArchiveTooLarge` for a declared size above the limit, both in bytes."""
    if size > max_size:
        raise ArchiveTooLarge(
            f"an archive may have at most {max_size} bytes, not {size}; write a smaller result",
            details={"max_size": max_size, "size": size},
        )


def check_kind(deal: Deal) -> None:
    """Raise `TeeNotSupported` or `CallbackTask` for tasks whose results are not uploaded here."""
    if requires_enclave(deal.tag):
        raise TeeNotSupported("this proxy does not accept results of TEE tasks yet")
    if deal.has_callback:
        raise CallbackTask("the result of a callback task goes to its contract; there is nothing to upload")


def readiness(task: ChainTask, contribution: Contribution) -> Readiness:
    """Return whether the uploader may upload now.

    Raises `TaskNotRevealing` or `NotRevealed` when waiting cannot help: the task has ended, or the uploader did not
    contribute. A lagging node shows a task that still collects contributions, or a contribution without its reveal.
    """
    if task.status in (ChainTaskStatus.UNSET, ChainTaskStatus.ACTIVE):
        return Readiness.NOT_YET
    if task.status is not ChainTaskStatus.REVEALING:
        raise TaskNotRevealing(f"the task is {task.status.name}; results are accepted while it is REVEALING")
    if contribution.status is ContributionStatus.PROVED:
        return Readiness.READY
    if contribution.status is ContributionStatus.CONTRIBUTED:
        return Readiness.NOT_YET
    raise NotRevealed("this wallet has no contribution to the task")


def not_ready(task: ChainTask, contribution: Contribution) -> TaskNotRevealing | NotRevealed:
    """Return the refusal for a state that remains `NOT_YET`."""
    if task.status is not ChainTaskStatus.REVEALING:
        return TaskNotRevealing(f"the task is {task.status.name}; results are accepted while it is REVEALING")
    return NotRevealed(f"the contribution of this wallet is {contribution.status.name}; reveal it first")


def check_digest(task_id: TaskId, digest: bytes, contribution: Contribution, *, what: str) -> None:
    """Compare a digest with the uploader's `resultHash` on chain; `what` names the digest's source in the refusal."""
    if result_hash(task_id, digest) != contribution.result_hash:
        raise ResultHashMismatch(f"{what} is not what this wallet contributed on chain")
