"""START: is this task one for this worker?"""

from workerpool_poco.protocol.statuses import ReplicateStatusCause
from workerpool_poco.protocol.tags import requires_enclave, tee_framework

from workerpool_worker.app.replicate import Replicate
from workerpool_worker.app.steps.prechecks import (
    check_authorization,
    check_may_contribute,
    wait_initialization,
)
from workerpool_worker.errors import StepFailed


async def start(run: Replicate) -> None:
    """Check the authorization, that the node is up to date, that a contribution is possible and the task supported."""
    await check_authorization(run)
    await wait_initialization(run)
    await check_may_contribute(run)
    if tee_framework(run.task.tag) is not None or requires_enclave(run.task.tag):
        raise StepFailed(ReplicateStatusCause.TEE_NOT_SUPPORTED, "this worker runs no enclaves")
    if run.task.result_encryption:
        raise StepFailed(
            ReplicateStatusCause.TASK_DESCRIPTION_INVALID,
            "result encryption is only possible for enclave tasks",
        )
    run.done()
