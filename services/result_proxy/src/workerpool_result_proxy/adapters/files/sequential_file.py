"""A file written once, from its start to its end, past the page cache."""

import errno
import mmap
import os
from pathlib import Path

_BUFFER_BYTES = 1 << 20
_CACHED_BYTES = 16 << 20
"""The start of each file, which goes through the page cache: a small file that is removed soon needs no disk."""


class SequentialFile:
    """A new file at `path`.

    A large file needs no page of memory: it displaces nothing from the page cache, of which the store makes better
    use, and a virtual machine need not get new pages from its host, which costs ten times what the copy does.
    """

    def __init__(self, path: Path) -> None:
        """Create the file. Raises OSError, as all methods do."""
        self._cached = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._direct = _open_direct(path)
        # Memory of a mapping starts at a page, as direct writes require.
        self._buffer = memoryview(mmap.mmap(-1, _BUFFER_BYTES))
        self._position = 0
        self._filled = 0

    def write(self, data: bytes) -> None:
        """Add the next bytes; after an error the file is unusable."""
        rest = memoryview(data)
        while rest:
            taken = rest[: _BUFFER_BYTES - self._filled]
            self._buffer[self._filled : self._filled + len(taken)] = taken
            self._filled += len(taken)
            rest = rest[len(taken) :]
            if self._filled == _BUFFER_BYTES:
                direct = self._direct is not None and self._position >= _CACHED_BYTES
                self._write_buffer(self._direct if direct else self._cached)
                self._position += _BUFFER_BYTES
                self._filled = 0

    def flush(self) -> None:
        """Let readers of the file find all bytes; more may follow."""
        self._write_buffer(self._cached)

    def close(self) -> None:
        """Close the file without its last bytes."""
        os.close(self._cached)
        if self._direct is not None:
            os.close(self._direct)

    def _write_buffer(self, file: int | None) -> None:
        assert file is not None
        position, rest = self._position, self._buffer[: self._filled]
        while rest:
            written = os.pwrite(file, rest, position)
            position, rest = position + written, rest[written:]


def _open_direct(path: Path) -> int | None:
    """Return a descriptor for direct writes; None on a file system without them."""
    try:
        return os.open(path, os.O_WRONLY | getattr(os, "O_DIRECT", 0))
    except OSError as error:
        if error.errno == errno.EINVAL:
            return None
        raise
