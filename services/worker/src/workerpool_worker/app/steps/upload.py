"""UPLOAD: upload the result archive and report the result link."""

from workerpool_kit.reasons import TASK_NOT_REVEALING
from workerpool_kit.retry import Backoff, retry
from workerpool_kit.text.spans import utc
from workerpool_poco.protocol.result_link import STORAGE_ETHEREUM, ResultLink
from workerpool_poco.protocol.statuses import ChainTaskStatus, ReplicateStatusCause

from workerpool_worker.app.replicate import Replicate
from workerpool_worker.app.steps.reorg import wait_if_consensus_orphaned
from workerpool_worker.domain.stages import Stage
from workerpool_worker.domain.updates import Details
from workerpool_worker.errors import StepFailed, UploadRefused, UploadUnavailable

_BACKOFF = Backoff(first_s=0.2, longest_s=10.0)


async def upload(replicate: Replicate) -> None:
    """Upload the archive to the pool's proxy, with retries until the final deadline.

    The result of a callback task goes to the chain; that of a failed one is no data. A proxy that the requester names
    is never used: see `domain.failures.params`.
    """
    result, task = replicate.record.result, replicate.task
    if result is None or not result.digest or not replicate.folder.archive.exists():
        raise StepFailed(
            ReplicateStatusCause.RESULT_LINK_MISSING, "the result archive is no longer on this worker"
        )
    if task.has_callback:
        link = ResultLink(STORAGE_ETHEREUM, task.callback).encode()
        replicate.complete_step(Details(result_link=link, callback_data=result.callback_data))
        return
    try:
        link = await _upload(replicate, result.digest)
    except UploadRefused as refused:
        if await wait_if_consensus_orphaned(replicate, Stage.AWAIT_UPLOAD):
            return
        raise StepFailed(ReplicateStatusCause.RESULT_LINK_MISSING, refused.message) from refused
    replicate.complete_step(Details(result_link=link))


async def _upload(replicate: Replicate, digest: str) -> str:
    proxy, task_id = replicate.context.result_proxy_url, replicate.task.task_id
    waiting = replicate.context.waiting_uploads

    def tell(trouble: Exception) -> None:
        waiting[task_id] = (
            f"the result of task {task_id} is not uploaded yet: {trouble}; the worker retries until "
            f"{utc(replicate.deadline)}"
        )

    async def attempt() -> str:
        try:
            return await replicate.context.store.upload(
                proxy, replicate.assignment.authorization, replicate.folder.archive, digest
            )
        except UploadRefused as refused:
            if await _proxy_lags(replicate, refused):
                raise UploadUnavailable(refused.message) from refused
            raise

    try:
        return await retry(
            attempt,
            what="upload the result",
            on=UploadUnavailable,
            backoff=_BACKOFF,
            timeout_s=replicate.deadline - replicate.context.clock.now(),
            on_failure=tell,
            task=task_id,
            proxy=proxy,
        )
    except UploadUnavailable as trouble:
        raise StepFailed(ReplicateStatusCause.RESULT_LINK_MISSING, trouble.message) from trouble
    finally:
        waiting.pop(task_id, None)


async def _proxy_lags(replicate: Replicate, refused: UploadRefused) -> bool:
    """Return whether the proxy's node is behind: this worker's node shows the task in REVEALING."""
    if refused.reason != TASK_NOT_REVEALING:
        return False
    chain_task = await replicate.context.chain.task(replicate.task.task_id)
    return chain_task.status is ChainTaskStatus.REVEALING
