"""DOWNLOAD_APP and DOWNLOAD_DATA: provide the image, the dataset and the input files, and begin the container.

A failure that the requester's side causes becomes an error result, one of this host goes to another worker.
"""

import asyncio

from workerpool_poco.protocol.app_environment import input_file_name
from workerpool_poco.protocol.statuses import ReplicateStatusCause

from workerpool_worker.app.file_fetch import fetch_file, gateways_to_ask
from workerpool_worker.app.replicate import Replicate
from workerpool_worker.app.steps.container import prepare_container
from workerpool_worker.domain.failures.params import params_problem
from workerpool_worker.domain.fetching.limits import FILES_AT_ONCE, TaskQuota, total_limit_s
from workerpool_worker.domain.fetching.sources import dataset_file, input_file
from workerpool_worker.domain.fetching.task_defects import first_defect
from workerpool_worker.domain.fetching.urls import InvalidUrl
from workerpool_worker.domain.images import local_name, pull_limit_s
from workerpool_worker.errors import (
    ChecksumMismatch,
    DownloadFailed,
    GatewaysBusy,
    HostNetworkUnavailable,
    ImageUnavailable,
    PublicRegistryUnavailable,
    RegistryLoginRefused,
    RegistryRefused,
    RegistryUnavailable,
    StepFailed,
    TaskFault,
    WorkerError,
)


async def download_app(replicate: Replicate) -> None:
    """Refuse what no worker can run, then pull the app image unless it is on this host."""
    policy = replicate.context.policy
    if (problem := params_problem(replicate.task)) is not None:
        raise TaskFault(ReplicateStatusCause.DEAL_PARAMS_INVALID, problem)
    if (defect := first_defect(replicate.task, policy.downloads)) is not None:
        raise TaskFault(defect.cause, defect.message)
    await provide_image(replicate)
    replicate.complete_step()


async def provide_image(replicate: Replicate) -> str:
    """Pull the app image unless it is on this host, and return its name.

    Raises `TaskFault` if the registry does not provide it or is in trouble, `StepFailed` if this host is in trouble
    or a registry is that no requester chose.
    """
    policy, task = replicate.context.policy, replicate.task
    image = local_name(task.app_uri)
    limit = pull_limit_s(task.max_execution_s, policy.pull_min_s, policy.pull_max_s)
    try:
        await replicate.context.engine.ensure_image(image, limit)
    except ImageUnavailable as missing:
        raise TaskFault(ReplicateStatusCause.APP_IMAGE_DOWNLOAD_FAILED, missing.message) from missing
    except RegistryUnavailable as outage:
        answered = isinstance(outage, RegistryRefused)
        if not answered and not await replicate.context.downloader.network_works():
            raise StepFailed(ReplicateStatusCause.HOST_FAILED, outage.message) from outage
        cause = ReplicateStatusCause(outage.reason)
        if isinstance(outage, PublicRegistryUnavailable):
            raise StepFailed(cause, outage.message) from outage
        raise TaskFault(cause, outage.message) from outage
    except (HostNetworkUnavailable, RegistryLoginRefused) as trouble:
        raise StepFailed(ReplicateStatusCause.HOST_FAILED, trouble.message) from trouble
    return image


async def download_data(replicate: Replicate) -> None:
    """Download the dataset and the input files within one time limit and one quota.

    The app's container is created meanwhile, unless START did that.
    """
    await prepare_container(replicate)
    task = replicate.task
    if task.has_dataset or task.input_files:
        limits = replicate.context.policy.downloads
        quota = TaskQuota(limits.max_task_bytes)
        limit_s = total_limit_s(limits, task.max_execution_s)
        deadline = asyncio.get_running_loop().time() + limit_s
        await replicate.run_blocking(replicate.folder.prepare_input)
        cause = ReplicateStatusCause.DATASET_FILE_DOWNLOAD_FAILED
        try:
            async with asyncio.timeout_at(deadline):
                if task.has_dataset:
                    await _fetch_dataset(replicate, quota)
                cause = ReplicateStatusCause.INPUT_FILES_DOWNLOAD_FAILED
                await _fetch_input_files(replicate, quota)
        except TimeoutError as late:
            raise TaskFault(cause, f"the task's files did not arrive within {limit_s:.0f} s") from late
        except HostNetworkUnavailable as outage:
            raise StepFailed(ReplicateStatusCause.HOST_FAILED, outage.message) from outage
        except GatewaysBusy as outage:
            raise StepFailed(ReplicateStatusCause.PUBLIC_REGISTRY_UNAVAILABLE, outage.message) from outage
    replicate.complete_step()


async def _fetch_dataset(replicate: Replicate, quota: TaskQuota) -> None:
    """Download the dataset from the first source that has it. Raises `TaskFault` with one reason."""
    task = replicate.task
    target = replicate.folder.input / task.dataset_address
    try:
        file = dataset_file(task.dataset_uri, task.dataset_checksum, gateways_to_ask(replicate))
        await fetch_file(replicate, file, target, quota)
    except ChecksumMismatch as mismatch:
        raise TaskFault(
            ReplicateStatusCause.DATASET_FILE_BAD_CHECKSUM,
            f"the dataset's SHA-256 is {mismatch.details['sha256']}; its checksum on chain is {file.sha256}",
        ) from mismatch
    except (InvalidUrl, DownloadFailed) as failed:
        raise TaskFault(ReplicateStatusCause.DATASET_FILE_DOWNLOAD_FAILED, str(failed)) from failed


async def _fetch_input_files(replicate: Replicate, quota: TaskQuota) -> None:
    """Download the input files, a few at once. The first failure ends all and is the reason."""
    turns = asyncio.Semaphore(FILES_AT_ONCE)

    async def fetch(url: str) -> None:
        async with turns:
            target = replicate.folder.input / input_file_name(url)
            try:
                file = input_file(url, gateways_to_ask(replicate))
            except InvalidUrl as invalid:
                raise DownloadFailed(str(invalid)) from invalid
            await fetch_file(replicate, file, target, quota)

    try:
        async with asyncio.TaskGroup() as fetching:
            for url in dict.fromkeys(replicate.task.input_files):
                fetching.create_task(fetch(url))
    except ExceptionGroup as group:
        failures = [each for each in group.exceptions if isinstance(each, WorkerError)]
        if len(failures) < len(group.exceptions):
            raise
        for failure in failures:
            if not isinstance(failure, DownloadFailed):
                raise failure from None  # Trouble of the host: the files may be available.
        raise TaskFault(ReplicateStatusCause.INPUT_FILES_DOWNLOAD_FAILED, failures[0].message) from None
