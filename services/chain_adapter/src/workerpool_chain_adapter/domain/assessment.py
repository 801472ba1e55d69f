"""Prediction whether the contract accepts a command, by its rules, applied to a snapshot of the chain.

Protocol sources: IexecPoco2 (`initialize`, `finalize`, `reopen`, `claim`) and IexecOrderManagement
(`manageWorkerpoolOrder`).
"""

from dataclasses import dataclass, replace
from typing import TypeAlias

from workerpool_poco.protocol.encoding.keccak import keccak
from workerpool_poco.protocol.ids import ZERO_ADDRESS, Address, from_hex
from workerpool_poco.protocol.model import ChainTask, Deal
from workerpool_poco.protocol.statuses import ChainTaskStatus

from workerpool_chain_adapter.domain.command import Command, CommandKind


@dataclass(frozen=True)
class InEffect:
    """The effect is already on chain, so there is nothing to send."""


@dataclass(frozen=True)
class Sendable:
    """The contract would accept the command.

    `block_number` is the block of the snapshot. `is_proven` is false when the newest block is older than a deadline
    that must have passed: the next block accepts the command, but a node that estimates at the newest one predicts a
    revert. `contributors` is the number of the task's contributions, on which the gas depends.
    """

    block_number: int = 0
    is_proven: bool = True
    is_initialized: bool = True
    contributors: int = 0


@dataclass(frozen=True)
class Impossible:
    """The contract would revert. `missing` marks a deal, task or pool that is not on chain."""

    reason: str
    message: str
    missing: bool = False


Verdict: TypeAlias = InEffect | Sendable | Impossible


@dataclass(frozen=True)
class ChainSnapshot:
    """State of a command's deal and task at one block; times in Unix seconds.

    The two deadlines are computed from the deal's category, because an uninitialized task has none. `now` is a time
    that the next block has reached, `block_time` the timestamp of the snapshot's block.
    """

    deal: Deal
    task: ChainTask
    contribution_deadline: int
    final_deadline: int
    block_number: int
    block_time: int
    now: int
    wallet: Address


@dataclass(frozen=True)
class OrderSnapshot:
    """State of an order to cancel at one block.

    `consumed` of its `volume` tasks were sold; a cancelled order is consumed completely. `pool_owner` is None when
    there is no contract with an owner at the address of the pool.
    """

    volume: int
    consumed: int
    pool_owner: Address | None
    block_number: int
    wallet: Address


Snapshot: TypeAlias = ChainSnapshot | OrderSnapshot


def assess(command: Command, at: Snapshot) -> Verdict:
    """Return what the contract would do with a command in the next block."""
    if isinstance(at, OrderSnapshot):
        return _cancel_order(at)
    rule = _RULES[command.key.kind]
    verdict = rule(command, at)
    if not isinstance(verdict, Sendable):
        return verdict
    return Sendable(
        at.block_number,
        isinstance(rule(command, replace(at, now=at.block_time)), Sendable),
        at.task.status is not ChainTaskStatus.UNSET,
        len(at.task.contributors),
    )


def _initialize(command: Command, at: ChainSnapshot) -> Verdict:
    if (problem := _not_in_deal(command, at)) is not None:
        return problem
    if at.task.status is not ChainTaskStatus.UNSET:
        return InEffect()
    if at.now >= at.contribution_deadline:
        # The contract would accept the call, but no worker could contribute to the task.
        return Impossible(
            "CONTRIBUTION_DEADLINE_REACHED",
            f"the contribution deadline was {at.contribution_deadline}, the chain is at {at.now}",
        )
    return Sendable()


def _finalize(command: Command, at: ChainSnapshot) -> Verdict:
    task = at.task
    if task.status is ChainTaskStatus.COMPLETED:
        return InEffect()
    if (problem := _not_revealing(at)) is not None:
        return problem
    complete = task.reveal_counter == task.winner_counter
    if not complete and not (task.reveal_counter > 0 and task.reveal_deadline <= at.now):
        text = (
            f"{task.reveal_counter} of {task.winner_counter} winners revealed; "
            f"with at least one reveal the task can be finalized from {task.reveal_deadline}"
        )
        return Impossible("REVEALS_MISSING", text)
    callback = from_hex(command.callback_data)
    allowed = not callback and at.deal.callback == ZERO_ADDRESS
    if not allowed and keccak(callback) != task.result_digest:
        text = "the hash of the callback data differs from the result digest of the consensus"
        return Impossible("CALLBACK_DATA_MISMATCH", text)
    return Sendable()


def _reopen(_: Command, at: ChainSnapshot) -> Verdict:
    if at.task.status is ChainTaskStatus.ACTIVE:
        return InEffect()
    if (problem := _not_revealing(at)) is not None:
        return problem
    if at.task.reveal_counter > 0:
        return Impossible("ALREADY_REVEALED", "a worker has revealed; finalize the task instead")
    if at.now < at.task.reveal_deadline:
        text = f"workers may reveal until {at.task.reveal_deadline}, the chain is at {at.now}"
        return Impossible("REVEAL_DEADLINE_NOT_REACHED", text)
    return Sendable()


def _claim(command: Command, at: ChainSnapshot) -> Verdict:
    if at.task.status is ChainTaskStatus.FAILED:
        return InEffect()
    if at.task.status is ChainTaskStatus.COMPLETED:
        return Impossible("TASK_COMPLETED", "the task is finalized; there is nothing to claim")
    final_deadline = at.task.final_deadline
    if at.task.status is ChainTaskStatus.UNSET:
        # Initialized and claimed in one transaction.
        problem = _not_in_deal(command, at) if command.deal_id else _unknown_deal()
        if problem is not None:
            return problem
        final_deadline = at.final_deadline
    if at.now < final_deadline:
        text = f"the task can be claimed from {final_deadline}, the chain is at {at.now}"
        return Impossible("FINAL_DEADLINE_NOT_REACHED", text)
    return Sendable()


def _cancel_order(at: OrderSnapshot) -> Verdict:
    if at.consumed >= at.volume:
        # Sold out or cancelled, so that nothing can be bought.
        return InEffect()
    if at.pool_owner is None:
        return Impossible(
            "WORKERPOOL_NOT_FOUND", "there is no workerpool at the order's address", missing=True
        )
    if at.pool_owner != at.wallet:
        text = f"only {at.pool_owner}, the pool's owner, may cancel its orders, not {at.wallet}"
        return Impossible("NOT_POOL_OWNER", text)
    return Sendable(at.block_number)


def _not_in_deal(command: Command, at: ChainSnapshot) -> Impossible | None:
    if not at.deal.exists:
        return Impossible("DEAL_NOT_FOUND", f"the hub has no deal {command.deal_id}", missing=True)
    if command.task_index not in at.deal.task_indexes:
        first, after = at.deal.bot_first, at.deal.bot_first + at.deal.bot_size
        text = f"the deal has tasks {first} to {after - 1}, not {command.task_index}"
        return Impossible("TASK_INDEX_OUTSIDE_DEAL", text, missing=True)
    return None


def _not_revealing(at: ChainSnapshot) -> Impossible | None:
    """Apply the checks that finalize and reopen share: caller, status, final deadline."""
    if at.task.status is ChainTaskStatus.UNSET:
        return _unknown_task()
    if at.deal.workerpool.owner != at.wallet:
        text = (
            f"only {at.deal.workerpool.owner}, the pool's owner at the deal, may send this, not {at.wallet}"
        )
        return Impossible("NOT_POOL_OWNER", text)
    if at.task.status is not ChainTaskStatus.REVEALING:
        return Impossible("TASK_NOT_REVEALING", f"the task is {at.task.status.name}, not REVEALING")
    if at.now >= at.task.final_deadline:
        text = f"the final deadline was {at.task.final_deadline}, the chain is at {at.now}"
        return Impossible("FINAL_DEADLINE_REACHED", text)
    return None


def _unknown_task() -> Impossible:
    return Impossible("TASK_NOT_FOUND", "the hub has no such task; initialize it first", missing=True)


def _unknown_deal() -> Impossible:
    text = "the hub has no such task; name its deal and index if it was never initialized"
    return Impossible("TASK_NOT_FOUND", text, missing=True)


_RULES = {
    CommandKind.INITIALIZE: _initialize,
    CommandKind.FINALIZE: _finalize,
    CommandKind.REOPEN: _reopen,
    CommandKind.CLAIM: _claim,
}
