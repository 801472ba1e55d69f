"""Counts and hashes the bytes of an upload against what its header declared."""

import hashlib

from workerpool_result_proxy.errors import ChecksumMismatch, SizeMismatch


class Inflow:
    """The running check of one upload; memory does not grow with the archive."""

    def __init__(self, *, size: int, sha256: bytes) -> None:
        self._size = size
        self._sha256 = sha256
        self._hash = hashlib.sha256()
        self.received = 0

    def add(self, chunk: bytes) -> None:
        """Take the next bytes; raises `SizeMismatch` at the first one beyond the declared size."""
        if self.received + len(chunk) > self._size:
            raise SizeMismatch(f"more bytes came than the {self._size} declared")
        self.received += len(chunk)
        self._hash.update(chunk)

    def finish(self) -> None:
        """Check the whole; raises `SizeMismatch` or `ChecksumMismatch`."""
        if self.received != self._size:
            raise SizeMismatch(f"{self.received} bytes came, {self._size} were declared")
        if self._hash.digest() != self._sha256:
            raise ChecksumMismatch("the bytes that came do not have the declared SHA-256; send them again")
