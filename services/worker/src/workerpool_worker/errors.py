"""The worker's errors: one root, one class per sort; a failed step always carries the protocol's cause."""

from workerpool_kit.errors import Kind, WorkerpoolError
from workerpool_poco.protocol.statuses import ReplicateStatusCause


class WorkerError(WorkerpoolError):
    """Root of the worker's errors."""

    reason = "WORKER_ERROR"


class StepFailed(WorkerError):
    """A step of a replicate failed for good; ``cause`` is what the scheduler is told."""

    kind = Kind.PRECONDITION

    def __init__(self, cause: ReplicateStatusCause, message: str = "") -> None:
        super().__init__(message or cause.value, reason=cause.value)
        self.cause = cause


class TaskVanished(WorkerError):
    """A reorganisation of the chain took the task's initialization back; the scheduler asks for it again."""

    kind = Kind.UNAVAILABLE
    reason = "TASK_NOT_ACTIVE"


class JournalUnusable(WorkerError):
    """The journal cannot be opened or written: no promise can be kept, so the worker stops."""

    reason = "JOURNAL_UNUSABLE"


class DockerUnavailable(WorkerError):
    """The Docker engine does not answer; it may come back."""

    kind = Kind.UNAVAILABLE
    reason = "DOCKER_UNAVAILABLE"


class HostFull(WorkerError):
    """The host has no room or does not let the worker write: not the task's fault, so another worker shall have it."""

    kind = Kind.UNAVAILABLE
    reason = "HOST_FULL"


class ImageUnavailable(WorkerError):
    """The app image is not here and cannot be pulled."""

    kind = Kind.NOT_FOUND
    reason = "APP_IMAGE_DOWNLOAD_FAILED"


class DownloadFailed(WorkerError):
    """A file cannot be fetched; the message names its URL without credentials."""

    kind = Kind.UNAVAILABLE
    reason = "DOWNLOAD_FAILED"


class PostComputeFailed(WorkerError):
    """The app's output cannot become a result; ``cause`` is one of the POST_COMPUTE causes."""

    kind = Kind.PRECONDITION

    def __init__(self, cause: ReplicateStatusCause, message: str) -> None:
        super().__init__(message, reason=cause.value)
        self.cause = cause


class UploadRefused(WorkerError):
    """The result proxy will never take this archive."""

    kind = Kind.PRECONDITION
    reason = "UPLOAD_REFUSED"


class UploadUnavailable(WorkerError):
    """The result proxy cannot take the archive now; trying again helps."""

    kind = Kind.UNAVAILABLE
    reason = "UPLOAD_UNAVAILABLE"


class CoreRefused(WorkerError):
    """The scheduler will not have this worker; the message says why and what to do."""

    kind = Kind.PERMISSION
    reason = "CORE_REFUSED"
