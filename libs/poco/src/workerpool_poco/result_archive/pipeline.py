"""Packs, hashes and syncs a large file in threads, while another thread reads it and writes the archive.

The compressor, the hash and the system calls release the interpreter's lock, so the threads use several processors. The
bytes do not depend on how many: each chunk is packed by itself, and the packed chunks follow each other in one ordinary
Deflate stream (RFC 1951).
"""

import hashlib
import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

from isal import isal_zlib

LEVEL = 1
RAW = -isal_zlib.MAX_WBITS
"""Deflate without a header of its own, as zip entries have it."""
_MAX_PACKERS = 4
_END = isal_zlib.compressobj(LEVEL, isal_zlib.DEFLATED, RAW).flush()
"""An empty last block."""
_SYNC_EVERY_BYTES = 32 << 20


class Threads:
    """The threads of one archive. Use it as a context manager. Its end waits for their work."""

    def __init__(self) -> None:
        """Start no thread yet."""
        processors = len(os.sched_getaffinity(0))
        self.max_pending = 2 * min(processors, _MAX_PACKERS)
        """Chunks that wait for their place in the archive at most, which bounds the memory."""
        self.packing: Executor = ThreadPoolExecutor(self.max_pending // 2, "pack")
        self.hashing: Executor = ThreadPoolExecutor(1, "hash")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for executor in (self.packing, self.hashing):
            executor.shutdown(cancel_futures=True)


class AtOnce(Executor):
    """Runs work in the caller's thread, which is faster for a small file."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Run a function and return its result as a future. Its exception is raised here."""
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class Deflater:
    """Compresses chunks like a compressor of `zlib`: output is later than input, and in the same order.

    Chunks of 1 MiB pack to 0.1 % more than one stream would.
    """

    def __init__(self, executor: Executor, max_pending: int) -> None:
        """Pack in an executor, with a number of chunks in it at most."""
        self._executor, self._max_pending = executor, max_pending
        self._pending: deque[Future[bytes]] = deque()

    def compress(self, chunk: bytes) -> bytes:
        """Take a chunk and return what is packed so far."""
        self._pending.append(self._executor.submit(_pack, chunk))
        packed = []
        while self._pending and (len(self._pending) > self._max_pending or self._pending[0].done()):
            packed.append(self._pending.popleft().result())
        return b"".join(packed)

    def flush(self) -> bytes:
        """Return the rest of the stream."""
        packed = [each.result() for each in self._pending]
        self._pending.clear()
        return b"".join((*packed, _END))


class Sha256:
    """Hashes chunks in their order."""

    def __init__(self, executor: Executor, max_pending: int) -> None:
        """Hash in an executor that does one thing at a time, with a number of chunks in it at most."""
        self._executor, self._max_pending = executor, max_pending
        self._digest = hashlib.sha256()
        self._pending: deque[Future[None]] = deque()

    def update(self, chunk: bytes) -> None:
        """Take a chunk."""
        self._pending.append(self._executor.submit(self._digest.update, chunk))
        if len(self._pending) > self._max_pending:
            self._pending.popleft().result()

    def digest(self) -> bytes:
        """Return the hash of all chunks."""
        while self._pending:
            self._pending.popleft().result()
        return self._digest.digest()


class EarlySync:
    """Syncs a growing file to disk in the background, so that the final sync is short.

    Only `wait` waits for the disk: a hanging disk delays neither a cancellation nor the end of the process.
    """

    def __init__(self, descriptor: int) -> None:
        """Sync an open file."""
        self._descriptor = descriptor
        self._synced = 0
        self._thread: threading.Thread | None = None
        self._failure: OSError | None = None

    def written(self, size: int) -> None:
        """Record the size. Raises OSError when an earlier sync failed."""
        if size - self._synced < _SYNC_EVERY_BYTES or (self._thread is not None and self._thread.is_alive()):
            return
        self.wait()
        self._synced = size
        # A separate descriptor: the file may be closed meanwhile.
        thread = threading.Thread(
            target=self._sync, args=(os.dup(self._descriptor),), name="sync", daemon=True
        )
        thread.start()
        self._thread = thread

    def wait(self) -> None:
        """Wait for the running sync. Raises OSError when it failed."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._failure is not None:
            raise self._failure

    def _sync(self, descriptor: int) -> None:
        try:
            os.fdatasync(descriptor)
        except OSError as failure:
            self._failure = failure
        finally:
            os.close(descriptor)


def _pack(chunk: bytes) -> bytes:
    compressor = isal_zlib.compressobj(LEVEL, isal_zlib.DEFLATED, RAW)
    return bytes(compressor.compress(chunk) + compressor.flush(isal_zlib.Z_SYNC_FLUSH))
