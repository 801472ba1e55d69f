"""Refusals of an upload: its stream, the rights of its sender, the state of its task."""

from workerpool_kit import reasons
from workerpool_kit.errors import Kind

from workerpool_result_proxy.errors.base import ResultProxyError

# The stream


class HeaderExpected(ResultProxyError):
    """The first message of an upload must be the header, and the only one."""

    kind = Kind.INVALID
    reason = "UPLOAD_HEADER_EXPECTED"


class ArchiveTooLarge(ResultProxyError):
    """The declared size exceeds the limit."""

    kind = Kind.EXHAUSTED
    reason = "RESULT_TOO_LARGE"


class SizeMismatch(ResultProxyError):
    """More or fewer bytes arrived than the header declares."""

    kind = Kind.INVALID
    reason = reasons.RESULT_SIZE_MISMATCH


class ChecksumMismatch(ResultProxyError):
    """The received bytes do not have the declared SHA-256."""

    kind = Kind.INVALID
    reason = reasons.RESULT_CHECKSUM_MISMATCH


class UploadStalled(ResultProxyError):
    """The stream was idle for too long, or slower than the lowest accepted rate."""

    kind = Kind.UNAVAILABLE
    reason = "UPLOAD_STALLED"


class TooManyUploads(ResultProxyError):
    """The limit of concurrent uploads is reached; try again later."""

    kind = Kind.EXHAUSTED
    reason = reasons.TOO_MANY_UPLOADS


class OffsetMismatch(ResultProxyError):
    """The upload does not continue at the first missing byte, which is `details["offset"]`."""

    kind = Kind.CONFLICT
    reason = reasons.UPLOAD_OFFSET_MISMATCH


class LeaseLost(ResultProxyError):
    """The lease of this upload expired, and another process removed its stored bytes."""

    kind = Kind.UNAVAILABLE
    reason = "UPLOAD_INTERRUPTED"


class StorageUnavailable(ResultProxyError):
    """The store of archives does not answer, or lost a part of the archive."""

    kind = Kind.UNAVAILABLE
    reason = "STORAGE_UNAVAILABLE"


class StorageFull(ResultProxyError):
    """A disk is full, or would have less free space than the configured floor."""

    kind = Kind.UNAVAILABLE
    reason = "STORAGE_FULL"


# Rights and chain


class NotAuthorized(ResultProxyError):
    """The token's wallet has submitted no authorization for this task."""

    kind = Kind.PERMISSION
    reason = reasons.NO_AUTHORIZATION_FOR_TASK


class TeeNotSupported(ResultProxyError):
    """Results of TEE tasks are not accepted yet."""

    kind = Kind.PRECONDITION
    reason = "TEE_NOT_SUPPORTED"


class CallbackTask(ResultProxyError):
    """The result of a callback task goes to its contract; there is nothing to upload."""

    kind = Kind.PRECONDITION
    reason = "CALLBACK_TASK"


class TaskNotRevealing(ResultProxyError):
    """The task is not in the phase in which results are uploaded."""

    kind = Kind.PRECONDITION
    reason = reasons.TASK_NOT_REVEALING


class NotRevealed(ResultProxyError):
    """The uploader has no revealed contribution to this task."""

    kind = Kind.PRECONDITION
    reason = reasons.CONTRIBUTION_NOT_REVEALED


class ResultHashMismatch(ResultProxyError):
    """The archive, or the declared digest, differs from the uploader's contribution on chain."""

    kind = Kind.INVALID
    reason = "RESULT_HASH_MISMATCH"


class AlreadyStored(ResultProxyError):
    """The task has a result, which is never overwritten; `details["result_link"]` is its link."""

    kind = Kind.ALREADY_EXISTS
    reason = "RESULT_ALREADY_EXISTS"
