"""UPLOAD: bring the archive to the result proxy, and tell where it is."""

import asyncio
import random

from workerpool_poco.protocol.result_link import STORAGE_ETHEREUM, ResultLink
from workerpool_poco.protocol.statuses import ReplicateStatusCause

from workerpool_worker.app.replicate import Replicate
from workerpool_worker.app.steps.reorganised import await_consensus
from workerpool_worker.domain.stages import Stage
from workerpool_worker.domain.updates import Details
from workerpool_worker.errors import StepFailed, UploadRefused, UploadUnavailable

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 10.0


async def upload(run: Replicate) -> None:
    """Upload until it works or the final deadline has passed. A callback's result goes to the chain instead."""
    result = run.record.result
    if result is None or not result.digest or not run.folder.archive.exists():
        raise StepFailed(ReplicateStatusCause.RESULT_LINK_MISSING, "the result is no longer on this worker")
    if run.task.has_callback:
        link = ResultLink(STORAGE_ETHEREUM, run.task.callback).encode()
        run.done(Details(result_link=link, callback_data=result.callback_data))
        return
    if run.task.result_storage_provider not in ("", "ipfs"):
        raise StepFailed(
            ReplicateStatusCause.RESULT_LINK_MISSING,
            f"standard tasks can only store their result on ipfs, not {run.task.result_storage_provider!r}",
        )
    try:
        link = await _upload(run, result.digest)
    except UploadRefused as refused:
        if await await_consensus(run, Stage.AWAIT_UPLOAD):
            return
        raise StepFailed(ReplicateStatusCause.RESULT_LINK_MISSING, refused.message) from refused
    run.done(Details(result_link=link))


async def _upload(run: Replicate, digest: str) -> str:
    proxy = run.task.result_storage_proxy or run.office.result_proxy_url
    pause = _FIRST_PAUSE_S
    while True:
        try:
            return await run.office.store.upload(
                proxy, run.assignment.authorization, run.folder.archive, digest
            )
        except UploadUnavailable as trouble:
            if run.office.clock.now() + pause > run.deadline:
                raise StepFailed(ReplicateStatusCause.RESULT_LINK_MISSING, trouble.message) from trouble
            run.log.warning("upload.retried", proxy=proxy, error=trouble.message, pause_s=pause)
        await asyncio.sleep(pause * random.uniform(0.5, 1.0))
        pause = min(pause * 2, _LONGEST_PAUSE_S)
