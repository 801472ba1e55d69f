"""Handling of a consensus that a chain reorganization orphaned."""

from workerpool_poco.protocol.statuses import ChainTaskStatus

from workerpool_worker.app.replicate import Replicate
from workerpool_worker.domain.stages import Stage


async def wait_if_consensus_orphaned(replicate: Replicate, stage: Stage) -> bool:
    """Enter a waiting stage if the task is open for contributions again. Return whether it is.

    The scheduler then commands the contribution or the reveal again. If the task was reopened because no worker
    revealed, the scheduler ends the replicate.
    """
    chain_task = await replicate.context.chain.task(replicate.task.task_id)
    if chain_task.status is not ChainTaskStatus.ACTIVE:
        return False
    replicate.log.warning("replicate.consensus_orphaned", stage=replicate.record.stage.value)
    await replicate.save(stage=stage)
    return True
