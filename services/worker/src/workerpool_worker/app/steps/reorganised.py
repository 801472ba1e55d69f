"""When the chain takes a consensus back: nothing is wrong here, and only the scheduler knows what comes next."""

from workerpool_poco.protocol.statuses import ChainTaskStatus

from workerpool_worker.app.replicate import Replicate
from workerpool_worker.domain.stages import Stage


async def await_consensus(run: Replicate, stage: Stage) -> bool:
    """Go to a waiting stage if the task is open for contributions again; tell whether it is.

    A reorganisation took the consensus back. The scheduler asks for the contribution or the reveal again, or,
    when the task was reopened because nobody revealed, ends the replicate.
    """
    chain_task = await run.office.chain.task(run.task.task_id)
    if chain_task.status is not ChainTaskStatus.ACTIVE:
        return False
    run.log.warning("replicate.consensus_vanished", stage=run.record.stage.value)
    await run.save(stage=stage)
    return True
