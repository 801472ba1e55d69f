"""DOWNLOAD_APP and DOWNLOAD_DATA: what the app needs before it can run.

A requester's broken image or file is a result too: workers that fail alike contribute the failure and agree on it.
"""

import asyncio

from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause

from workerpool_worker.adapters.files.post_compute import write_error_result
from workerpool_worker.app.replicate import Replicate
from workerpool_worker.domain.environment import input_file_name
from workerpool_worker.domain.images import InvalidImageName, local_name, pull_limit_s
from workerpool_worker.domain.sources import dataset_urls, has_checksum
from workerpool_worker.domain.stages import Stage
from workerpool_worker.domain.updates import ERROR_MESSAGE_CHARACTERS, Details
from workerpool_worker.errors import DownloadFailed, HostFull, ImageUnavailable, StepFailed


async def download_app(run: Replicate) -> None:
    """Have the app image locally; an image that is here already is never pulled."""
    policy = run.office.policy
    try:
        image = local_name(run.task.app_uri)
        limit = pull_limit_s(run.task.max_execution_s, policy.pull_min_s, policy.pull_max_s)
        await run.office.engine.ensure_image(image, limit)
    except (InvalidImageName, ImageUnavailable) as problem:
        cause = ReplicateStatusCause.APP_IMAGE_DOWNLOAD_FAILED
        return await _contribute_failure(run, ReplicateStatus.APP_DOWNLOAD_FAILED, cause, str(problem))
    run.done()


async def download_data(run: Replicate) -> None:
    """Fetch dataset and input files, all of them within the time limit."""
    if run.task.has_dataset or run.task.input_files:
        try:
            async with asyncio.timeout(run.office.policy.download_limit_s):
                await run.in_thread(run.folder.prepare_input)
                await _fetch_dataset(run)
                await _fetch_input_files(run)
        except (StepFailed, TimeoutError) as problem:
            if isinstance(problem, StepFailed):
                cause, message = problem.cause, problem.message
            else:
                cause = ReplicateStatusCause.INPUT_FILES_DOWNLOAD_FAILED
                message = f"the files did not arrive within {run.office.policy.download_limit_s:.0f} s"
            return await _contribute_failure(run, ReplicateStatus.DATA_DOWNLOAD_FAILED, cause, message)
    run.done()


async def _fetch_dataset(run: Replicate) -> None:
    task = run.task
    if not task.has_dataset:
        return
    if not has_checksum(task.dataset_checksum):
        raise StepFailed(
            ReplicateStatusCause.DATASET_FILE_BAD_CHECKSUM,
            "the dataset has no checksum on chain, so it cannot be checked",
        )
    urls = dataset_urls(task.dataset_uri, run.office.policy.ipfs_gateways)
    target = run.folder.input / task.dataset_address
    problem = f"not a dataset address: {task.dataset_uri[:200]!r}"
    for url in urls:
        try:
            digest = await run.office.downloader.fetch(url, target)
        except DownloadFailed as failed:
            problem = failed.message
            continue
        if digest != task.dataset_checksum.lower():
            await run.in_thread(target.unlink)
            raise StepFailed(
                ReplicateStatusCause.DATASET_FILE_BAD_CHECKSUM,
                f"the dataset's SHA-256 is {digest}, not the one on chain",
            )
        return
    raise StepFailed(ReplicateStatusCause.DATASET_FILE_DOWNLOAD_FAILED, problem)


async def _fetch_input_files(run: Replicate) -> None:
    async def fetch(url: str) -> None:
        await run.office.downloader.fetch(url, run.folder.input / input_file_name(url))

    try:
        async with asyncio.TaskGroup() as fetching:
            for url in dict.fromkeys(run.task.input_files):
                fetching.create_task(fetch(url))
    except ExceptionGroup as group:
        if (full := group.subgroup(HostFull)) is not None:
            raise full.exceptions[0] from None
        failed, others = group.split(DownloadFailed)
        if failed is None or others is not None:
            raise
        message = "; ".join(str(item) for item in failed.exceptions)
        raise StepFailed(ReplicateStatusCause.INPUT_FILES_DOWNLOAD_FAILED, message) from None


async def _contribute_failure(
    run: Replicate, status: ReplicateStatus, cause: ReplicateStatusCause, message: str
) -> None:
    """Make the failure the result and go on to contribute it; when even that fails, the replicate has failed."""
    run.log.warning("replicate.error_result", cause=cause.value, error=message)
    try:
        result = await run.in_thread(write_error_result, run.folder, status, cause)
    except Exception as problem:
        raise StepFailed(
            ReplicateStatusCause.POST_COMPUTE_FAILED_UNKNOWN_ISSUE,
            f"no error result could be made: {problem}",
        ) from problem
    details = Details(cause=cause, error_message=message[:ERROR_MESSAGE_CHARACTERS])
    run.report(status, details, result=result, stage=Stage.CONTRIBUTE)
