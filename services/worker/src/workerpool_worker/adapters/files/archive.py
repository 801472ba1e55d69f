"""The hash of a result archive, as its upload declares it."""

import hashlib
from pathlib import Path


def file_sha256(path: Path) -> tuple[str, int]:
    """Return the SHA-256 of a file as `0x…` text and its size in bytes."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return "0x" + digest.hexdigest(), file.tell()
