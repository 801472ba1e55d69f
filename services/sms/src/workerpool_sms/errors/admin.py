"""Refusals of the admin methods: backup and restore (worker spec D)."""

from workerpool_kit.errors import Kind

from workerpool_sms.errors.base import SmsError


class AdminDisabled(SmsError):
    """No API key is configured."""

    kind = Kind.PERMISSION
    reason = "ADMIN_DISABLED"


class AdminKeyRefused(SmsError):
    """The API key is missing or wrong."""

    kind = Kind.UNAUTHENTICATED
    reason = "ADMIN_KEY_REFUSED"


class AdminRunning(SmsError):
    """Another admin method is running."""

    kind = Kind.EXHAUSTED
    reason = "ADMIN_OPERATION_RUNNING"


class RestoreRunning(SmsError):
    """A backup is being restored, and all other calls are refused."""

    kind = Kind.UNAVAILABLE
    reason = "RESTORE_RUNNING"


class InvalidStorage(SmsError):
    """The storage is not the hexadecimal path of a folder inside the admin storage."""

    kind = Kind.INVALID
    reason = "INVALID_STORAGE"


class InvalidBackupName(SmsError):
    """The name of a backup is missing or is a path."""

    kind = Kind.INVALID
    reason = "INVALID_BACKUP_NAME"


class BackupNotFound(SmsError):
    """There is no such backup, or no such folder."""

    kind = Kind.NOT_FOUND
    reason = "BACKUP_NOT_FOUND"


class BackupBroken(SmsError):
    """The backup is truncated, damaged, of another format, or lacks its keys."""

    kind = Kind.INVALID
    reason = "BACKUP_BROKEN"


class BackupFailed(SmsError):
    """The backup could not be read or written."""

    kind = Kind.INTERNAL
    reason = "BACKUP_FAILED"
