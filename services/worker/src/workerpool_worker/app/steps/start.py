"""START: check that this worker can run the task."""

from workerpool_poco.protocol.statuses import ReplicateStatusCause
from workerpool_poco.protocol.tags import requires_enclave, tee_framework

from workerpool_worker.app.replicate import Replicate
from workerpool_worker.app.steps.prechecks import (
    check_authorization,
    check_may_contribute,
    wait_for_initialization,
)
from workerpool_worker.errors import StepFailed


async def start(replicate: Replicate) -> None:
    """Check the authorization, the node's block, the pre-checks and the task's features, in this order."""
    await check_authorization(replicate)
    await wait_for_initialization(replicate)
    await check_may_contribute(replicate)
    if tee_framework(replicate.task.tag) is not None or requires_enclave(replicate.task.tag):
        raise StepFailed(
            ReplicateStatusCause.TEE_NOT_SUPPORTED, "the task requires an enclave; this worker runs none"
        )
    if replicate.task.result_encryption:
        raise StepFailed(
            ReplicateStatusCause.TASK_DESCRIPTION_INVALID,
            "the task asks for result encryption, which only enclave tasks support",
        )
    replicate.complete_step()
