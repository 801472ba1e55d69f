"""Reads what the pre-checks need and raises the first cause."""

import asyncio

from workerpool_poco.errors import InvalidSignature
from workerpool_poco.protocol.authorization import recover_signer
from workerpool_poco.protocol.ids import address
from workerpool_poco.protocol.model import ChainTask
from workerpool_poco.protocol.statuses import ChainTaskStatus, ReplicateStatusCause

from workerpool_worker.app.replicate import Replicate
from workerpool_worker.domain.prechecks import obstacles
from workerpool_worker.domain.stages import Stage
from workerpool_worker.errors import StepFailed, TaskVanished

_BLOCK_LIMIT_S = 60.0
_MOST_BLOCKS_BEHIND = 5
_NEXT_BLOCK_LIMIT_S = 10.0


async def check_authorization(run: Replicate) -> None:
    """Refuse a task whose authorization is not for this wallet, or not signed by the pool's owner."""
    authorization = run.assignment.authorization
    problem = ""
    if address(authorization.worker) != run.office.wallet_address:
        problem = f"the authorization is for {authorization.worker}"
    elif authorization.task_id != run.task.task_id:
        problem = "the authorization is for another task"
    else:
        try:
            signer = recover_signer(authorization)
        except InvalidSignature as invalid:
            problem = str(invalid)
        else:
            if not await run.office.chain.is_pool_owner(signer):
                problem = f"the authorization is signed by {signer}, who does not own the workerpool"
    if problem:
        raise StepFailed(ReplicateStatusCause.WORKERPOOL_AUTHORIZATION_NOT_FOUND, problem)


async def wait_initialization(run: Replicate) -> None:
    """Wait until the worker's node has the block in which the task was initialized."""
    block = run.assignment.initialization_block
    if block and not await run.office.chain.wait_block(block, _BLOCK_LIMIT_S):
        raise StepFailed(
            ReplicateStatusCause.CHAIN_UNREACHABLE,
            f"the worker's node is at block {run.office.chain.head} and does not reach {block}",
        )


async def check_may_contribute(run: Replicate) -> None:
    """Raise the first obstacle to a contribution, log them all; TaskVanished for one that passes by itself."""
    task, chain = run.task, run.office.chain
    chain_task, account = await asyncio.gather(chain.task(task.task_id), chain.account())
    if chain_task.status is ChainTaskStatus.UNSET:
        if run.record.stage is not Stage.START:
            raise TaskVanished("the chain does not know the task any more; waiting for its initialization")
        chain_task = await _some_blocks_later(run)
    found = list(
        obstacles(
            chain_task,
            account,
            worker=run.office.wallet_address,
            worker_stake=task.worker_stake,
            now=run.office.clock.now(),
        )
    )
    if found:
        run.log.warning("replicate.may_not_contribute", causes=[cause.value for cause in found])
        raise StepFailed(found[0], _explain(found[0], run, account.stake))


async def _some_blocks_later(run: Replicate) -> ChainTask:
    """Read a task again that must be initialized: of several nodes behind one address, the one asked may lag."""
    chain = run.office.chain
    for _ in range(_MOST_BLOCKS_BEHIND):
        await chain.wait_block(chain.head + 1, _NEXT_BLOCK_LIMIT_S)
        chain_task = await chain.task(run.task.task_id)
        if chain_task.status is not ChainTaskStatus.UNSET:
            break
    return chain_task


def _explain(cause: ReplicateStatusCause, run: Replicate, stake: int) -> str:
    if cause is ReplicateStatusCause.STAKE_TOO_LOW:
        return f"the wallet has {stake} nRLC in the hub, the task locks {run.task.worker_stake}: deposit more"
    return f"the chain would refuse a contribution: {cause.value}"
