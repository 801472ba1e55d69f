"""The protocol's pre-checks (worker spec A.7): read the chain and raise the first cause."""

import asyncio

from workerpool_poco.errors import InvalidSignature
from workerpool_poco.protocol.authorization import recover_signer
from workerpool_poco.protocol.ids import address
from workerpool_poco.protocol.model import ChainTask
from workerpool_poco.protocol.statuses import ChainTaskStatus, ReplicateStatusCause

from workerpool_worker.app.replicate import Replicate
from workerpool_worker.domain.prechecks import contribution_obstacles
from workerpool_worker.domain.stages import Stage
from workerpool_worker.errors import InitializationOrphaned, StepFailed

_BLOCK_LIMIT_S = 60.0
_POLLS = 25
_NEXT_BLOCK_LIMIT_S = 2.0
"""Longest pause between two reads in seconds: a chain without transactions may have no blocks."""


async def check_authorization(replicate: Replicate) -> None:
    """Raise `StepFailed` unless the authorization is for this wallet and task and signed by the pool's owner."""
    authorization = replicate.assignment.authorization
    problem = ""
    if address(authorization.worker) != replicate.context.wallet_address:
        problem = f"the authorization is for the worker {authorization.worker}"
    elif authorization.task_id != replicate.task.task_id:
        problem = "the authorization is for another task"
    else:
        try:
            signer = recover_signer(authorization)
        except InvalidSignature as invalid:
            problem = str(invalid)
        else:
            if not await replicate.context.chain.is_pool_owner(signer):
                problem = f"the authorization is signed by {signer}, which does not own the workerpool"
    if problem:
        raise StepFailed(ReplicateStatusCause.WORKERPOOL_AUTHORIZATION_NOT_FOUND, problem)


async def wait_for_initialization(replicate: Replicate) -> None:
    """Wait until the worker's node has the block that initialized the task."""
    block = replicate.assignment.initialization_block
    if block and not await replicate.context.chain.wait_block(block, _BLOCK_LIMIT_S):
        raise StepFailed(
            ReplicateStatusCause.CHAIN_UNREACHABLE,
            f"the worker's node is at block {replicate.context.chain.head} and did not reach block {block} "
            f"in {_BLOCK_LIMIT_S:.0f} s",
        )


async def check_may_contribute(replicate: Replicate, *, max_age_s: float = 0.0) -> None:
    """Raise `StepFailed` with the first cause for which the hub would refuse a contribution, and log all causes.

    A check of the last `max_age_s` seconds that found none counts. Raises `InitializationOrphaned` if the task was
    initialized before and is unknown to the chain now.
    """
    task, chain = replicate.task, replicate.context.chain
    began = asyncio.get_running_loop().time()
    if began - replicate.might_contribute_at < max_age_s:
        return
    chain_task, account = await chain.with_account(task.task_id)
    if chain_task.status is ChainTaskStatus.UNSET:
        if replicate.record.stage is not Stage.START:
            raise InitializationOrphaned(
                "the chain no longer knows the task; waiting until it is initialized again"
            )
        chain_task = await _read_after_next_blocks(replicate)
    found = list(
        contribution_obstacles(
            chain_task,
            account,
            worker=replicate.context.wallet_address,
            worker_stake=task.worker_stake,
            now=replicate.context.clock.now(),
        )
    )
    if found:
        replicate.log.warning("replicate.contribution_blocked", causes=[cause.value for cause in found])
        raise StepFailed(found[0], _explain(found[0], replicate, account.stake))
    replicate.might_contribute_at = began


async def _read_after_next_blocks(replicate: Replicate) -> ChainTask:
    """Read an initialized task again after each of the next blocks, or seconds, until the node knows it.

    Several nodes may share one address, and the node that answers may lag behind the one that announced the block.
    """
    chain = replicate.context.chain
    for _ in range(_POLLS):
        await chain.wait_block(chain.head + 1, _NEXT_BLOCK_LIMIT_S)
        chain_task = await chain.task(replicate.task.task_id)
        if chain_task.status is not ChainTaskStatus.UNSET:
            break
    return chain_task


def _explain(cause: ReplicateStatusCause, replicate: Replicate, stake: int) -> str:
    if cause is ReplicateStatusCause.STAKE_TOO_LOW:
        return (
            f"the wallet has {stake} nRLC in the hub and the task locks {replicate.task.worker_stake} nRLC; "
            "deposit more RLC"
        )
    return f"the hub would refuse the contribution: {cause.value}"
