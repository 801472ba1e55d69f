"""The root of the SMS's errors, and failures of its dependencies."""

from workerpool_kit.errors import Kind, WorkerpoolError


class SmsError(WorkerpoolError):
    """Root of the SMS's errors."""


class InvalidRequest(SmsError):
    """A parameter or the body of an HTTP request is missing or malformed."""

    kind = Kind.INVALID
    reason = "INVALID_REQUEST"


class ChainUnreachable(SmsError):
    """The node does not answer, so no right can be checked."""

    kind = Kind.UNAVAILABLE
    reason = "CHAIN_UNREACHABLE"


class StorageFull(SmsError):
    """The disk of the database would have less free space than the configured floor."""

    kind = Kind.UNAVAILABLE
    reason = "STORAGE_FULL"


class KeyFileUnusable(SmsError):
    """The key file is missing, exposed or malformed; the caller adds the variable of its path."""

    reason = "KEY_FILE_UNUSABLE"


class KeyMissing(SmsError):
    """The key file lacks the key that encrypts a stored value."""

    reason = "ENCRYPTION_KEY_MISSING"


class SealBroken(SmsError):
    """A stored value was changed, or belongs to another owner or name than its row."""

    reason = "STORED_VALUE_BROKEN"
