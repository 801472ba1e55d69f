"""Defects of a task that are visible before anything is downloaded. Only its requester or its app can cause them."""

from dataclasses import dataclass

from workerpool_poco.protocol.statuses import ReplicateStatusCause

from workerpool_worker.domain.assignment import Task
from workerpool_worker.domain.fetching.hosts import AddressRefused, check_literal
from workerpool_worker.domain.fetching.limits import DownloadLimits
from workerpool_worker.domain.fetching.sources import WantedFile, dataset_file, has_checksum, input_file
from workerpool_worker.domain.fetching.urls import InvalidUrl, parse_url
from workerpool_worker.domain.images import InvalidImageName, local_name


@dataclass(frozen=True, slots=True)
class TaskDefect:
    """The cause of a task that cannot run, and a sentence for its requester."""

    cause: ReplicateStatusCause
    message: str


def first_defect(task: Task, limits: DownloadLimits) -> TaskDefect | None:
    """Return the first defect of the image name, the dataset or the input files; None if there is none."""
    try:
        local_name(task.app_uri)
    except InvalidImageName as invalid:
        return TaskDefect(ReplicateStatusCause.APP_IMAGE_NAME_INVALID, str(invalid))
    return _dataset_defect(task, limits) or _input_defect(task, limits)


def _dataset_defect(task: Task, limits: DownloadLimits) -> TaskDefect | None:
    if not task.has_dataset:
        return None
    try:
        _check_hosts(dataset_file(task.dataset_uri, task.dataset_checksum, ()), limits)
    except (InvalidUrl, AddressRefused) as refused:
        return TaskDefect(
            ReplicateStatusCause.DATASET_FILE_DOWNLOAD_FAILED, f"dataset {task.dataset_address}: {refused}"
        )
    if not has_checksum(task.dataset_checksum):
        return TaskDefect(
            ReplicateStatusCause.DATASET_FILE_BAD_CHECKSUM,
            f"dataset {task.dataset_address} has no checksum on chain, so its content cannot be verified",
        )
    return None


def _input_defect(task: Task, limits: DownloadLimits) -> TaskDefect | None:
    message = ""
    if len(task.input_files) > limits.max_files:
        number_of_files = len(task.input_files)
        message = (
            f"the task names {number_of_files} input files; this worker downloads at most {limits.max_files}"
        )
    for number, text in enumerate(() if message else task.input_files, start=1):
        try:
            _check_hosts(input_file(text, ()), limits)
        except (InvalidUrl, AddressRefused) as refused:
            message = f"input file {number}: {refused}"
            break
    return TaskDefect(ReplicateStatusCause.INPUT_FILES_DOWNLOAD_FAILED, message) if message else None


def _check_hosts(file: WantedFile, limits: DownloadLimits) -> None:
    for source in file.sources:
        check_literal(parse_url(source.url), limits.allowed)
