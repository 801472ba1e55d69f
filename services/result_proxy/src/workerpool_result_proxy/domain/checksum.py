"""Verification of the bytes of an upload against the size and SHA-256 in its header."""

import hashlib

from workerpool_result_proxy.errors import ChecksumMismatch, SizeMismatch


class ChecksumVerifier:
    """The incremental verifier of one upload; its memory does not grow with the archive."""

    def __init__(self, *, size: int, sha256: bytes) -> None:
        self._size = size
        self._sha256 = sha256
        self._hash = hashlib.sha256()
        self._received = 0

    @property
    def received(self) -> int:
        """The number of bytes counted so far."""
        return self._received

    def count(self, chunk: bytes) -> None:
        """Count the next bytes. Raises `SizeMismatch` at the first byte beyond the declared size."""
        if self._received + len(chunk) > self._size:
            raise SizeMismatch(
                f"more bytes arrived than the {self._size} declared; send the declared archive"
            )
        self._received += len(chunk)

    def hash(self, chunk: bytes) -> None:
        """Hash bytes that were counted, in the same order; another thread may count further bytes."""
        self._hash.update(chunk)

    def finish(self) -> None:
        """Check the complete upload. Raises `SizeMismatch` or `ChecksumMismatch`."""
        if self._received != self._size:
            raise SizeMismatch(f"{self._received} bytes arrived, {self._size} were declared; send the rest")
        if self._hash.digest() != self._sha256:
            raise ChecksumMismatch("the bytes that arrived do not have the declared SHA-256; send them again")
