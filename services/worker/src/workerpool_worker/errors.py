"""The worker's errors: one root, one class per cause. A failed step carries the protocol's cause."""

from workerpool_kit.errors import Kind, WorkerpoolError
from workerpool_poco.protocol.statuses import ReplicateStatusCause


class WorkerError(WorkerpoolError):
    """Root of the worker's errors."""

    reason = "WORKER_ERROR"


class StepFailed(WorkerError):
    """A step of a replicate failed and a retry does not help. `cause` is reported to the scheduler."""

    kind = Kind.PRECONDITION

    def __init__(self, cause: ReplicateStatusCause, message: str = "") -> None:
        super().__init__(message or cause.value, reason=cause.value)
        self.cause = cause


class InitializationOrphaned(WorkerError):
    """A chain reorganization orphaned the task's initialization. Retry until the scheduler initializes it again."""

    kind = Kind.UNAVAILABLE
    reason = "TASK_NOT_ACTIVE"


class ChainUnavailable(WorkerError):
    """The blockchain node does not answer, or answers with an error that a retry may resolve."""

    kind = Kind.UNAVAILABLE
    reason = "CHAIN_UNREACHABLE"


class TransactionUnconfirmed(WorkerError):
    """A sent transaction has no receipt yet. Its delivery continues; resume it to wait further."""

    kind = Kind.UNAVAILABLE
    reason = "CHAIN_RECEIPT_NOT_VALID"


class TransactionRefused(WorkerError):
    """A transaction was mined and reverted, or the node refuses it. The message names the reason."""

    kind = Kind.PRECONDITION
    reason = "CHAIN_RECEIPT_NOT_VALID"


class WalletOutOfGas(WorkerError):
    """The wallet cannot pay the gas of a transaction."""

    kind = Kind.PRECONDITION
    reason = "OUT_OF_GAS"


class JournalUnusable(WorkerError):
    """The journal cannot be opened or written. The worker stops, because it can no longer keep its promises."""

    reason = "JOURNAL_UNUSABLE"


class DockerUnavailable(WorkerError):
    """The Docker engine does not answer. A retry may succeed."""

    kind = Kind.UNAVAILABLE
    reason = "DOCKER_UNAVAILABLE"


class HostStorageUnavailable(WorkerError):
    """The host has no free space or denies writes. The task is not at fault, so another worker should run it."""

    kind = Kind.UNAVAILABLE
    reason = "HOST_STORAGE_UNAVAILABLE"


class ImageUnavailable(WorkerError):
    """The app image is not on this host and its registry does not provide it."""

    kind = Kind.NOT_FOUND
    reason = "APP_IMAGE_DOWNLOAD_FAILED"


class AppCannotStart(WorkerError):
    """The engine refuses to run the app, for example because its command does not exist."""

    kind = Kind.PRECONDITION
    reason = "APP_COMPUTE_FAILED"


class DownloadFailed(WorkerError):
    """A file cannot be downloaded. The message names its URL without credentials and query."""

    kind = Kind.UNAVAILABLE
    reason = "DOWNLOAD_FAILED"


class PostComputeFailed(WorkerError):
    """The app's output is not a valid result. `cause` is one of the protocol's POST_COMPUTE causes."""

    kind = Kind.PRECONDITION

    def __init__(self, cause: ReplicateStatusCause, message: str) -> None:
        super().__init__(message, reason=cause.value)
        self.cause = cause


class UploadRefused(WorkerError):
    """The result proxy refuses this archive and a retry does not help."""

    kind = Kind.PRECONDITION
    reason = "UPLOAD_REFUSED"


class UploadUnavailable(WorkerError):
    """The result proxy cannot accept the archive now. A retry may succeed."""

    kind = Kind.UNAVAILABLE
    reason = "UPLOAD_UNAVAILABLE"


class CoreRefused(WorkerError):
    """The scheduler refuses this worker. The message names the reason and the remedy."""

    kind = Kind.PERMISSION
    reason = "CORE_REFUSED"
