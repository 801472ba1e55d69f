"""Checks before a contribution and a reveal, in the protocol's order (worker spec A.7)."""

from collections.abc import Iterator

from workerpool_poco.protocol.ids import Address
from workerpool_poco.protocol.model import Account, ChainTask
from workerpool_poco.protocol.statuses import ChainTaskStatus
from workerpool_poco.protocol.statuses import ReplicateStatusCause as Cause

CONTRIBUTE_GAS, REVEAL_GAS = 500_000, 100_000
"""Gas limits of the two transactions (worker spec A.7). A wallet that cannot pay this gas does not start the step."""


def contribution_obstacles(
    chain_task: ChainTask, account: Account, *, worker: Address, worker_stake: int, now: float
) -> Iterator[Cause]:
    """Yield every cause for which the hub would refuse `contribute`, in the order in which they are reported.

    `worker_stake` is in nRLC, `now` in Unix seconds.
    """
    if account.stake < worker_stake:
        yield Cause.STAKE_TOO_LOW
    if chain_task.status is not ChainTaskStatus.ACTIVE:
        yield Cause.TASK_NOT_ACTIVE
    if chain_task.contribution_deadline <= now:
        yield Cause.CONTRIBUTION_TIMEOUT
    if worker in chain_task.contributors:
        yield Cause.CONTRIBUTION_ALREADY_SET


def reveal_obstacle(
    chain_task: ChainTask, contribution_hash: bytes, own_hash: bytes, *, contributed: bool, now: float
) -> str:
    """Return why the hub would refuse `reveal`, as text for an operator; empty if it would accept it."""
    if chain_task.status is not ChainTaskStatus.REVEALING:
        return f"the task is {chain_task.status.name}, not REVEALING"
    if chain_task.reveal_deadline <= now:
        return "the reveal deadline has passed"
    if not contributed:
        return "the worker has no contribution to reveal on chain"
    if contribution_hash != chain_task.consensus_value:
        return "consensus was reached on another result"
    if own_hash != contribution_hash:
        return "the result on disk differs from the contributed result"
    return ""
