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


class TaskFault(WorkerError):
    """The requester's app, image, data, parameters or output fails the task, on this worker as on any other.

    The worker makes an error result of it. `exit_code` is None if the app did not run.
    """

    kind = Kind.PRECONDITION

    def __init__(self, cause: ReplicateStatusCause, message: str, *, exit_code: int | None = None) -> None:
        super().__init__(message, reason=cause.value)
        self.cause = cause
        self.exit_code = exit_code


class WorkCancelled(WorkerError):
    """A blocking work ended early, because its replicate was aborted."""

    reason = "WORK_CANCELLED"


class WorkTimedOut(WorkerError):
    """A blocking work ended early at its time limit."""

    kind = Kind.PRECONDITION
    reason = "WORK_TIMED_OUT"


class InitializationOrphaned(WorkerError):
    """A chain reorganization orphaned the task's initialization. Retry until the scheduler initializes it again."""

    kind = Kind.UNAVAILABLE
    reason = "TASK_NOT_ACTIVE"


class ChainUnavailable(WorkerError):
    """The blockchain node does not answer, or answers with an error that a retry may resolve."""

    kind = Kind.UNAVAILABLE
    reason = "CHAIN_UNREACHABLE"


class TransactionUnconfirmed(WorkerError):
    """A transaction has no receipt yet. Its delivery continues; repeat the call to wait further."""

    kind = Kind.UNAVAILABLE
    reason = "CHAIN_RECEIPT_NOT_VALID"


class TransactionRefused(WorkerError):
    """A transaction was mined and reverted, or the nodes refuse it. The message names the reason."""

    kind = Kind.PRECONDITION
    reason = "CHAIN_RECEIPT_NOT_VALID"


class RevertForeseen(TransactionRefused):
    """The nodes say that the contract would revert a transaction, so it is not sent. Some nodes lag or err."""


class WalletOutOfGas(WorkerError):
    """The wallet cannot pay the gas of a transaction now. It is sent once the balance rises or gas is cheaper."""

    kind = Kind.UNAVAILABLE
    reason = "OUT_OF_GAS"


class JournalUnusable(WorkerError):
    """The journal cannot be opened or written. The worker stops, because it can no longer keep its promises."""

    reason = "JOURNAL_UNUSABLE"


class EngineFailure(WorkerError):
    """A call of the Docker engine failed. Never an OSError, which means a file of this host."""


class DockerUnavailable(EngineFailure):
    """The Docker engine does not answer. A retry may succeed."""

    kind = Kind.UNAVAILABLE
    reason = "DOCKER_UNAVAILABLE"


class EngineRefused(EngineFailure):
    """The Docker engine answers that it will not do a call, for a reason of its host. A retry does not help."""

    kind = Kind.PRECONDITION
    reason = "ENGINE_REFUSED"


class SandboxLost(DockerUnavailable):
    """The namespace that a created container was to join ended, for example with the engine. Create it again."""

    reason = "SANDBOX_LOST"


class HostStorageUnavailable(WorkerError):
    """The host has no free space or denies writes. The task is not at fault, so another worker should run it."""

    kind = Kind.UNAVAILABLE
    reason = "HOST_STORAGE_UNAVAILABLE"


class HostDeviceUnavailable(WorkerError):
    """The host cannot give an app the GPUs, processors or runtime that the worker's settings promise.

    The task is not at fault, so another worker should run it.
    """

    kind = Kind.UNAVAILABLE
    reason = "HOST_DEVICE_UNAVAILABLE"


class RuntimeUnavailable(HostDeviceUnavailable):
    """The engine's runtime of apps or its way to the GPUs fails, so no such app starts. It may come back."""

    reason = "RUNTIME_UNAVAILABLE"


class FirewallUnavailable(WorkerError):
    """The firewall rules of the network of apps cannot be set or read."""

    kind = Kind.PRECONDITION
    reason = "FIREWALL_UNAVAILABLE"


class AppNetworkUnsafe(WorkerError):
    """Apps would reach the host or its networks. The message names the operator's choices."""

    kind = Kind.PRECONDITION
    reason = "APP_NETWORK_UNSAFE"


class ImageUnavailable(WorkerError):
    """The app image is not on this host and its registry does not provide it."""

    kind = Kind.NOT_FOUND
    reason = "APP_IMAGE_DOWNLOAD_FAILED"


class RegistryUnavailable(WorkerError):
    """The registry that the app's owner chose limits requests or fails. Another worker may reach it."""

    kind = Kind.UNAVAILABLE
    reason = "APP_REGISTRY_UNAVAILABLE"


class RegistryAbsent(RegistryUnavailable):
    """The registry that the app's owner chose does not exist, if DNS says the truth."""

    reason = "APP_IMAGE_DOWNLOAD_FAILED"


class RegistryRefused(RegistryUnavailable):
    """The registry that the app's owner chose refuses connections, so this host's network reaches it."""

    reason = "APP_IMAGE_DOWNLOAD_FAILED"


class ImageSlow(RegistryUnavailable):
    """The image did not arrive in time: it is large, its registry is slow, or this host's network is."""


class PublicRegistryUnavailable(RegistryUnavailable):
    """A large public registry, or one of the operator, limits requests or fails. The app's owner is not at fault."""

    reason = "PUBLIC_REGISTRY_UNAVAILABLE"


class RegistryLoginRefused(WorkerError):
    """The registry refuses the operator's credentials, and gives nothing without them."""

    kind = Kind.PERMISSION
    reason = "REGISTRY_LOGIN_REFUSED"


class AppCannotStart(WorkerError):
    """The engine refuses to run the app, for example because its command, user or platform does not exist."""

    kind = Kind.PRECONDITION
    reason = "APP_CANNOT_START"


class DownloadFailed(WorkerError):
    """A file cannot be downloaded. The message names its URL without credentials and query."""

    kind = Kind.UNAVAILABLE
    reason = "DOWNLOAD_FAILED"


class ServerDown(DownloadFailed):
    """The file's server accepts no connection: its name, its port or its TLS fails, whatever file is requested."""

    reason = "SERVER_DOWN"


class ServerBusy(DownloadFailed):
    """The file's server is overloaded, or limits the requests of this host."""

    reason = "SERVER_BUSY"


class ChecksumMismatch(DownloadFailed):
    """The server has other bytes than the checksum on chain or the content id says."""

    reason = "CHECKSUM_MISMATCH"


class GatewaysBusy(WorkerError):
    """Every IPFS gateway of the operator is overloaded, limits requests or is down. The content may be available."""

    kind = Kind.UNAVAILABLE
    reason = "PUBLIC_REGISTRY_UNAVAILABLE"


class HostNetworkUnavailable(WorkerError):
    """The host's DNS, TLS, proxy or network fails. The task is not at fault, so another worker should run it."""

    kind = Kind.UNAVAILABLE
    reason = "HOST_NETWORK_UNAVAILABLE"


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


class CommandRefused(WorkerError):
    """A command of `poolworker` cannot be carried out. The message names the reason and the remedy."""

    kind = Kind.PRECONDITION
    reason = "COMMAND_REFUSED"


class WorkerNotRunning(CommandRefused):
    """A command needs a worker that runs."""

    reason = "WORKER_NOT_RUNNING"
