"""Refusals of an archive that cannot be unpacked safely or contains no result."""

from workerpool_kit.errors import Kind

from workerpool_result_proxy.errors.base import ResultProxyError


class ArchiveRefused(ResultProxyError):
    """The archive cannot be accepted, for the cause of the sub-class."""

    kind = Kind.INVALID
    reason = "ARCHIVE_REFUSED"


class ArchiveBroken(ArchiveRefused):
    """Not a zip archive, or a truncated or damaged one."""

    reason = "ARCHIVE_BROKEN"


class ArchiveUnsafePath(ArchiveRefused):
    """An entry's name points outside the archive, or cannot be a file name."""

    reason = "ARCHIVE_UNSAFE_PATH"


class ArchiveSpecialFile(ArchiveRefused):
    """An entry is a symbolic link, a device or another special file."""

    reason = "ARCHIVE_SPECIAL_FILE"


class ArchiveDuplicateName(ArchiveRefused):
    """Two entries name the same file."""

    reason = "ARCHIVE_DUPLICATE_NAME"


class ArchiveUnsupported(ArchiveRefused):
    """An entry is encrypted, or compressed by a method other than deflate."""

    reason = "ARCHIVE_UNSUPPORTED"


class ArchiveBomb(ArchiveRefused):
    """Unpacked, the archive would exceed the limit of entries or bytes."""

    reason = "ARCHIVE_BOMB"


class ArchiveWithoutDigest(ArchiveRefused):
    """No digest can be computed from the files, for example because computed.json is missing."""

    reason = "RESULT_DIGEST_COMPUTATION_FAILED"
