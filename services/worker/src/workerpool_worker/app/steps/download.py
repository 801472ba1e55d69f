"""DOWNLOAD_APP and DOWNLOAD_DATA: provide the image, the dataset and the input files.

A failed download becomes an error result: workers that fail alike contribute it and reach consensus on the failure
(worker spec A.7).
"""

import asyncio

from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause

from workerpool_worker.app.replicate import Replicate
from workerpool_worker.domain.dataset_sources import dataset_urls, has_checksum
from workerpool_worker.domain.environment import input_file_name
from workerpool_worker.domain.images import InvalidImageName, local_name, pull_limit_s
from workerpool_worker.domain.stages import Stage
from workerpool_worker.domain.updates import ERROR_MESSAGE_CHARACTERS, Details
from workerpool_worker.errors import DownloadFailed, HostStorageUnavailable, ImageUnavailable, StepFailed


async def download_app(replicate: Replicate) -> None:
    """Pull the app image unless it is on this host."""
    policy = replicate.context.policy
    try:
        image = local_name(replicate.task.app_uri)
        limit = pull_limit_s(replicate.task.max_execution_s, policy.pull_min_s, policy.pull_max_s)
        await replicate.context.engine.ensure_image(image, limit)
    except (InvalidImageName, ImageUnavailable) as problem:
        cause = ReplicateStatusCause.APP_IMAGE_DOWNLOAD_FAILED
        status = ReplicateStatus.APP_DOWNLOAD_FAILED
        return await _contribute_failure(replicate, status, cause, str(problem))
    replicate.complete_step()


async def download_data(replicate: Replicate) -> None:
    """Download the dataset and the input files within one time limit."""
    if replicate.task.has_dataset or replicate.task.input_files:
        limit_s = replicate.context.policy.download_limit_s
        try:
            async with asyncio.timeout(limit_s):
                await replicate.run_blocking(replicate.folder.prepare_input)
                await _fetch_dataset(replicate)
                await _fetch_input_files(replicate)
        except (StepFailed, TimeoutError) as problem:
            if isinstance(problem, StepFailed):
                cause, message = problem.cause, problem.message
            else:
                cause = ReplicateStatusCause.INPUT_FILES_DOWNLOAD_FAILED
                message = f"the files did not arrive within {limit_s:.0f} s"
            status = ReplicateStatus.DATA_DOWNLOAD_FAILED
            return await _contribute_failure(replicate, status, cause, message)
    replicate.complete_step()


async def _fetch_dataset(replicate: Replicate) -> None:
    task = replicate.task
    if not task.has_dataset:
        return
    if not has_checksum(task.dataset_checksum):
        raise StepFailed(
            ReplicateStatusCause.DATASET_FILE_BAD_CHECKSUM,
            "the dataset has no checksum on chain, so it cannot be verified",
        )
    urls = dataset_urls(task.dataset_uri, replicate.context.policy.ipfs_gateways)
    target = replicate.folder.input / task.dataset_address
    problem = f"not a dataset address: {task.dataset_uri[:200]!r}"
    for url in urls:
        try:
            digest = await replicate.context.downloader.fetch(url, target)
        except DownloadFailed as failed:
            problem = failed.message
            continue
        if digest != task.dataset_checksum.lower():
            await replicate.run_blocking(target.unlink)
            raise StepFailed(
                ReplicateStatusCause.DATASET_FILE_BAD_CHECKSUM,
                f"the dataset's SHA-256 is {digest}, which is not the checksum on chain",
            )
        return
    raise StepFailed(ReplicateStatusCause.DATASET_FILE_DOWNLOAD_FAILED, problem)


async def _fetch_input_files(replicate: Replicate) -> None:
    async def fetch(url: str) -> None:
        await replicate.context.downloader.fetch(url, replicate.folder.input / input_file_name(url))

    try:
        async with asyncio.TaskGroup() as fetching:
            for url in dict.fromkeys(replicate.task.input_files):
                fetching.create_task(fetch(url))
    except ExceptionGroup as group:
        if (storage := group.subgroup(HostStorageUnavailable)) is not None:
            raise storage.exceptions[0] from None
        failed, others = group.split(DownloadFailed)
        if failed is None or others is not None:
            raise
        message = "; ".join(str(item) for item in failed.exceptions)
        raise StepFailed(ReplicateStatusCause.INPUT_FILES_DOWNLOAD_FAILED, message) from None


async def _contribute_failure(
    replicate: Replicate, status: ReplicateStatus, cause: ReplicateStatusCause, message: str
) -> None:
    """Make the failure the result and enter CONTRIBUTE. Raises `StepFailed` if that is impossible."""
    replicate.log.warning("replicate.failure_contributed", cause=cause.value, error=message)
    try:
        result = await replicate.run_blocking(replicate.folder.make_error_result, status, cause)
    except Exception as problem:
        raise StepFailed(
            ReplicateStatusCause.POST_COMPUTE_FAILED_UNKNOWN_ISSUE,
            f"the error result cannot be written: {problem}",
        ) from problem
    details = Details(cause=cause, error_message=message[:ERROR_MESSAGE_CHARACTERS])
    replicate.report(status, details, result=result, stage=Stage.CONTRIBUTE)
