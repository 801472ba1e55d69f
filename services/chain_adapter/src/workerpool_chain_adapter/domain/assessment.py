"""Would the contract accept a command now? The rules of IexecPoco2, read before anything is sent."""

from dataclasses import dataclass
from typing import TypeAlias

from eth_utils.crypto import keccak
from workerpool_poco.protocol.ids import ZERO_ADDRESS, Address, from_hex
from workerpool_poco.protocol.model import ChainTask, Deal
from workerpool_poco.protocol.statuses import ChainTaskStatus

from workerpool_chain_adapter.domain.command import Command, CommandKind


@dataclass(frozen=True)
class InEffect:
    """The effect is on chain already: nothing to send."""


@dataclass(frozen=True)
class Sendable:
    """The contract would accept it."""


@dataclass(frozen=True)
class Impossible:
    """The contract would revert. `missing` marks a deal or task the chain does not know."""

    reason: str
    message: str
    missing: bool = False


Verdict: TypeAlias = InEffect | Sendable | Impossible


@dataclass(frozen=True)
class Situation:
    """What the chain says about a command's target; `now` is the time of the latest block, Unix seconds.

    `contribution_deadline` is the deal's, from its category (a task that is not initialized has none).
    """

    deal: Deal
    task: ChainTask
    contribution_deadline: int
    now: int
    wallet: Address


def assess(command: Command, at: Situation) -> Verdict:
    """Judge one command."""
    return _RULES[command.key.kind](command, at)


def _initialize(command: Command, at: Situation) -> Verdict:
    if not at.deal.exists:
        return Impossible("DEAL_NOT_FOUND", f"the hub knows no deal {command.deal_id}", missing=True)
    if command.task_index not in at.deal.task_indexes:
        first, after = at.deal.bot_first, at.deal.bot_first + at.deal.bot_size
        text = f"the deal has tasks {first} to {after - 1}, not {command.task_index}"
        return Impossible("TASK_INDEX_OUTSIDE_DEAL", text, missing=True)
    if at.task.status is not ChainTaskStatus.UNSET:
        return InEffect()
    if at.now >= at.contribution_deadline:
        # The contract would still do it, but nobody could contribute any more.
        return Impossible(
            "CONTRIBUTION_DEADLINE_REACHED",
            f"the task could be contributed to until {at.contribution_deadline}, and it is {at.now}",
        )
    return Sendable()


def _finalize(command: Command, at: Situation) -> Verdict:
    task = at.task
    if task.status is ChainTaskStatus.COMPLETED:
        return InEffect()
    if (problem := _not_revealing(at)) is not None:
        return problem
    complete = task.reveal_counter == task.winner_counter
    if not complete and not (task.reveal_counter > 0 and task.reveal_deadline <= at.now):
        text = (
            f"{task.reveal_counter} of {task.winner_counter} winners revealed; "
            f"with one reveal it can be finalized from {task.reveal_deadline} on"
        )
        return Impossible("REVEALS_MISSING", text)
    callback = from_hex(command.callback_data)
    allowed = not callback and at.deal.callback == ZERO_ADDRESS
    if not allowed and keccak(callback) != task.result_digest:
        text = "the callback data is not what the workers agreed on (its hash is not the result digest)"
        return Impossible("CALLBACK_DATA_MISMATCH", text)
    return Sendable()


def _reopen(_: Command, at: Situation) -> Verdict:
    if at.task.status is ChainTaskStatus.ACTIVE:
        return InEffect()
    if (problem := _not_revealing(at)) is not None:
        return problem
    if at.task.reveal_counter > 0:
        return Impossible("ALREADY_REVEALED", "a worker has revealed; finalize the task instead")
    if at.now < at.task.reveal_deadline:
        text = f"workers may reveal until {at.task.reveal_deadline}, and it is {at.now}"
        return Impossible("REVEAL_DEADLINE_NOT_REACHED", text)
    return Sendable()


def _claim(_: Command, at: Situation) -> Verdict:
    if at.task.status is ChainTaskStatus.FAILED:
        return InEffect()
    if at.task.status is ChainTaskStatus.UNSET:
        return _unknown_task()
    if at.task.status is ChainTaskStatus.COMPLETED:
        return Impossible("TASK_COMPLETED", "the task was finalized; there is nothing to claim back")
    if at.now < at.task.final_deadline:
        text = f"the task can be claimed from {at.task.final_deadline} on, and it is {at.now}"
        return Impossible("FINAL_DEADLINE_NOT_REACHED", text)
    return Sendable()


def _not_revealing(at: Situation) -> Impossible | None:
    """Check what finalize and reopen share: who asks, the status, the final deadline."""
    if at.task.status is ChainTaskStatus.UNSET:
        return _unknown_task()
    if at.deal.workerpool.owner != at.wallet:
        text = (
            f"only {at.deal.workerpool.owner}, who owned the pool at the deal, may do this, not {at.wallet}"
        )
        return Impossible("NOT_POOL_OWNER", text)
    if at.task.status is not ChainTaskStatus.REVEALING:
        return Impossible("TASK_NOT_REVEALING", f"the task is {at.task.status.name}, not REVEALING")
    if at.now >= at.task.final_deadline:
        text = f"the task's final deadline was {at.task.final_deadline}, and it is {at.now}"
        return Impossible("FINAL_DEADLINE_REACHED", text)
    return None


def _unknown_task() -> Impossible:
    return Impossible("TASK_NOT_FOUND", "the hub knows no such task; it was not initialized", missing=True)


_RULES = {
    CommandKind.INITIALIZE: _initialize,
    CommandKind.FINALIZE: _finalize,
    CommandKind.REOPEN: _reopen,
    CommandKind.CLAIM: _claim,
}
