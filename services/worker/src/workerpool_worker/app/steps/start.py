"""START: check that this worker can run the task."""

from workerpool_poco.protocol.statuses import ReplicateStatusCause
from workerpool_poco.protocol.tags import requires_enclave, requires_gpu, tee_framework

from workerpool_worker.app.replicate import Replicate
from workerpool_worker.app.steps.container import prepare_container
from workerpool_worker.app.steps.prechecks import (
    check_authorization,
    check_may_contribute,
    wait_for_initialization,
)
from workerpool_worker.domain.failures.params import storage_fallback
from workerpool_worker.errors import StepFailed


async def start(replicate: Replicate) -> None:
    """Check the authorization, the node's block, the pre-checks and the task's features, in this order.

    The app's container is created meanwhile, if its image is on this host.
    """
    await check_authorization(replicate)
    refusal = _missing_feature(replicate)
    if refusal is None:
        await prepare_container(replicate)
    await wait_for_initialization(replicate)
    await check_may_contribute(replicate)
    if refusal is not None:
        raise refusal
    if (ignored := storage_fallback(replicate.task, replicate.context.result_proxy_url)) is not None:
        replicate.log.warning("params.ignored", reason=ignored)
    replicate.complete_step()


def _missing_feature(replicate: Replicate) -> StepFailed | None:
    tag = replicate.task.tag
    if tee_framework(tag) is not None or requires_enclave(tag):
        return StepFailed(
            ReplicateStatusCause.TEE_NOT_SUPPORTED, "the task requires an enclave; this worker runs none"
        )
    if requires_gpu(tag) and not replicate.context.policy.gpus_per_task:
        return StepFailed(
            ReplicateStatusCause.HOST_FAILED, "the task requires a GPU; this worker has none free"
        )
    return None
