"""Names of backups and of their folders (worker spec D, admin)."""

import re
from pathlib import PurePosixPath

from workerpool_sms.errors import InvalidBackupName, InvalidStorage

BACKUP_NAME = "backup.dump"
"""Name of the newest backup, directly in the admin storage."""
KEY_SUFFIX = ".key"
"""Suffix of the key file beside a backup."""
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


def backup_name(text: str) -> str:
    """Return a valid file name. Raises InvalidBackupName for a path, and for the name of a key file."""
    if not _NAME.fullmatch(text) or text.endswith(KEY_SUFFIX):
        raise InvalidBackupName(
            "the name of a backup has up to 128 of the characters 0-9 A-Z a-z . _ -, does not start with . or -, "
            f"and does not end with {KEY_SUFFIX}; correct fileName"
        )
    return text


def storage_path(storage_hex: str, root: PurePosixPath) -> PurePosixPath:
    """Return the folder of a hexadecimal path. Raises InvalidStorage outside `root`.


    `root` is the admin storage, without symbolic links. A relative path starts there.
    """
    try:
        path = PurePosixPath(bytes.fromhex(storage_hex.removeprefix("0x")).decode())
    except ValueError:
        raise InvalidStorage("the storage is not a path in hexadecimal; send that of a folder") from None
    whole = root / path
    if ".." in path.parts or "\0" in str(path) or not whole.is_relative_to(root):
        raise InvalidStorage(
            f"the storage is outside {root} (IEXEC_SMS_ADMIN_STORAGE_LOCATION); send one inside"
        )
    return whole
