"""Every refusal of the result proxy, one class per cause; `reason` is what a caller's program reads."""

from workerpool_kit.errors import Kind, WorkerpoolError


class ResultProxyError(WorkerpoolError):
    """Root of the result proxy's own errors."""


# What the proxy itself depends on


class ChainUnreachable(ResultProxyError):
    """The node does not answer, so nothing can be checked at the moment."""

    kind = Kind.UNAVAILABLE
    reason = "CHAIN_UNREACHABLE"


# Tokens; the order is the order in which they are checked (worker spec C)


class NotSelfSigned(ResultProxyError):
    """The request was not signed by the worker that the authorization names."""

    kind = Kind.UNAUTHENTICATED
    reason = "NOT_SIGNED_BY_WORKER"


class EmptyAuthorization(ResultProxyError):
    """Wallet, task or signature of the authorization is empty (all zeros)."""

    kind = Kind.INVALID
    reason = "EMPTY_PARAMS_UNAUTHORIZED"


class TaskNotOnChain(ResultProxyError):
    """The contract does not know the task."""

    kind = Kind.NOT_FOUND
    reason = "GET_CHAIN_TASK_FAILED"


class FinalDeadlineReached(ResultProxyError):
    """The task's final deadline has passed; nothing can be finalized any more."""

    kind = Kind.PRECONDITION
    reason = "TASK_FINAL_DEADLINE_REACHED"


class DealNotOnChain(ResultProxyError):
    """The contract does not know the task's deal."""

    kind = Kind.NOT_FOUND
    reason = "GET_CHAIN_DEAL_FAILED"


class WrongPool(ResultProxyError):
    """This proxy serves one pool only, and the deal belongs to another."""

    kind = Kind.PERMISSION
    reason = "WRONG_WORKERPOOL"


class EnclaveMismatch(ResultProxyError):
    """An enclave challenge where the deal's tag wants none, or the other way round."""

    kind = Kind.PERMISSION
    reason = "NO_MATCH_ONCHAIN_TYPE"


class NotSignedByPoolOwner(ResultProxyError):
    """The authorization was not signed by the owner of the deal's workerpool."""

    kind = Kind.PERMISSION
    reason = "INVALID_SIGNATURE"


# Uploads: the stream


class HeaderExpected(ResultProxyError):
    """The first message of an upload must be the header, and no later one may be."""

    kind = Kind.INVALID
    reason = "UPLOAD_HEADER_EXPECTED"


class ArchiveTooLarge(ResultProxyError):
    """The declared size, or what really came, exceeds what is allowed."""

    kind = Kind.EXHAUSTED
    reason = "RESULT_TOO_LARGE"


class SizeMismatch(ResultProxyError):
    """More or fewer bytes came than the header declared."""

    kind = Kind.INVALID
    reason = "RESULT_SIZE_MISMATCH"


class ChecksumMismatch(ResultProxyError):
    """The bytes that came do not have the declared SHA-256."""

    kind = Kind.INVALID
    reason = "RESULT_CHECKSUM_MISMATCH"


class UploadStalled(ResultProxyError):
    """The stream was idle, or slower than any useful connection, for too long."""

    kind = Kind.UNAVAILABLE
    reason = "UPLOAD_STALLED"


class TooManyUploads(ResultProxyError):
    """All places for concurrent uploads stayed taken; try again later."""

    kind = Kind.EXHAUSTED
    reason = "TOO_MANY_UPLOADS"


class StorageFull(ResultProxyError):
    """There is no room left for temporary files."""

    kind = Kind.UNAVAILABLE
    reason = "STORAGE_FULL"


# Uploads: rights and chain


class NotAuthorized(ResultProxyError):
    """The token's wallet never showed an authorization for this task."""

    kind = Kind.PERMISSION
    reason = "NO_AUTHORIZATION_FOR_TASK"


class TeeNotSupported(ResultProxyError):
    """Results of enclave tasks are not taken yet."""

    kind = Kind.PRECONDITION
    reason = "TEE_NOT_SUPPORTED"


class CallbackTask(ResultProxyError):
    """The result of a callback task goes to its contract; there is nothing to upload."""

    kind = Kind.PRECONDITION
    reason = "CALLBACK_TASK"


class TaskNotRevealing(ResultProxyError):
    """The task is not in the phase in which results are uploaded."""

    kind = Kind.PRECONDITION
    reason = "TASK_NOT_REVEALING"


class NotRevealed(ResultProxyError):
    """The uploader has no revealed contribution to this task."""

    kind = Kind.PRECONDITION
    reason = "CONTRIBUTION_NOT_REVEALED"


class ResultHashMismatch(ResultProxyError):
    """The archive (or the declared digest) is not what the uploader contributed on chain."""

    kind = Kind.INVALID
    reason = "RESULT_HASH_MISMATCH"


class AlreadyStored(ResultProxyError):
    """The task has its result already; it is never overwritten. `details["result_link"]` says where it is."""

    kind = Kind.ALREADY_EXISTS
    reason = "RESULT_ALREADY_EXISTS"


# Uploads: the archive


class ArchiveRefused(ResultProxyError):
    """The archive cannot be unpacked safely. The sub-classes say why."""

    kind = Kind.INVALID
    reason = "ARCHIVE_REFUSED"


class ArchiveBroken(ArchiveRefused):
    """Not a zip archive, or a truncated or damaged one."""

    reason = "ARCHIVE_BROKEN"


class ArchiveUnsafePath(ArchiveRefused):
    """An entry's name leads out of the archive, or no file can have it."""

    reason = "ARCHIVE_UNSAFE_PATH"


class ArchiveSpecialFile(ArchiveRefused):
    """An entry is a symbolic link, a device or anything else but a file or folder."""

    reason = "ARCHIVE_SPECIAL_FILE"


class ArchiveDuplicateName(ArchiveRefused):
    """Two entries would become the same file."""

    reason = "ARCHIVE_DUPLICATE_NAME"


class ArchiveUnsupported(ArchiveRefused):
    """An entry is encrypted or compressed by another method than deflate."""

    reason = "ARCHIVE_UNSUPPORTED"


class ArchiveBomb(ArchiveRefused):
    """Unpacked, the archive would have too many entries or bytes."""

    reason = "ARCHIVE_BOMB"


class ArchiveWithoutDigest(ArchiveRefused):
    """No digest can be computed from the files (for example computed.json is missing)."""

    reason = "RESULT_DIGEST_COMPUTATION_FAILED"


# Reading


class ResultNotFound(ResultProxyError):
    """No result is stored for this task."""

    kind = Kind.NOT_FOUND
    reason = "RESULT_NOT_FOUND"


class OffsetBeyondEnd(ResultProxyError):
    """A download was asked to start behind the last byte."""

    kind = Kind.INVALID
    reason = "OFFSET_BEYOND_END"
