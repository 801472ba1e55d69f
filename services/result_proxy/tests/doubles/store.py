"""Authorizations, results and archive bytes in memory."""

import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from datetime import datetime

from workerpool_poco.protocol.authorization import WorkerpoolAuthorization
from workerpool_poco.protocol.ids import Address, TaskId
from workerpool_result_proxy.app.ports import BytesMissing
from workerpool_result_proxy.domain.results import GRIDFS, OrphanedFile, StoredResult
from workerpool_result_proxy.errors import LeaseLost, StorageUnavailable

_CHUNK_BYTES = 1 << 20


class MemoryStore:
    """The `Store` port over dictionaries; one `beside` another shares its data, as processes share a database."""

    def __init__(
        self,
        *,
        owner: str = "one",
        lease_s: float = 60,
        now: Callable[[], float] = time.monotonic,
        beside: "MemoryStore | None" = None,
    ) -> None:
        self.authorizations: dict[tuple[TaskId, Address], WorkerpoolAuthorization] = {}
        self._expiry: dict[tuple[TaskId, Address], datetime] = {}
        self.results: dict[TaskId, StoredResult] = beside.results if beside else {}
        self._leases: dict[str, tuple[str, str, float]] = beside._leases if beside else {}
        self._owner, self._now, self._lease_s = owner, now, lease_s

    async def keep_authorization(
        self, authorization: WorkerpoolAuthorization, *, expires_at: datetime, most: int
    ) -> bool:
        """Store an authorization; see `Store`."""
        key = (authorization.task_id, authorization.worker)
        if sum(task == key[0] and worker != key[1] for task, worker in self.authorizations) >= most:
            return False
        self.authorizations.setdefault(key, authorization)
        self._expiry.setdefault(key, expires_at)
        return True

    async def forget_authorizations(self, expired_before: datetime) -> int:
        """Remove expired authorizations; see `Store`."""
        expired = [key for key, at in self._expiry.items() if at < expired_before]
        for key in expired:
            del self.authorizations[key], self._expiry[key]
        return len(expired)

    async def is_authorized(self, task_id: TaskId, worker: Address) -> bool:
        """Return whether an authorization is stored; see `Store`."""
        return (task_id, worker) in self.authorizations

    async def find_result(self, task_id: TaskId) -> StoredResult | None:
        """Return the task's result; see `Store`."""
        return self.results.get(task_id)

    async def announce(self, file_id: str, storage: str) -> None:
        """Lease a file that is about to be written; see `Store`."""
        self._lease(file_id, storage)

    async def renew(self, file_ids: Collection[str]) -> None:
        """Extend leases; see `Store`."""
        for file_id in file_ids:
            if self._is_mine(file_id):
                self._lease(file_id, self._leases[file_id][1])

    async def commit(self, result: StoredResult) -> bool:
        """Store the result as the task's only one; see `Store`."""
        if not self._is_mine(result.file_id):
            raise LeaseLost("the lease is lost")
        if self.results.setdefault(result.task_id, result) is not result:
            return False
        del self._leases[result.file_id]
        return True

    async def retract(self, file_id: str) -> None:
        """Forget an announced file; see `Store`."""
        if self._is_mine(file_id):
            del self._leases[file_id]

    async def claim_orphans(self, dead: Collection[str] = ()) -> list[OrphanedFile]:
        """Lease the files of interrupted uploads; see `Store`."""
        claimed = []
        for file_id, (owner, storage, until) in list(self._leases.items()):
            if until < self._now() or owner in dead:
                self._lease(file_id, storage)
                claimed.append(OrphanedFile(file_id, storage))
        return sorted(claimed)

    async def expire(self, stored_before: datetime) -> list[OrphanedFile]:
        """Forget old results; see `Store`."""
        expired = [result for result in self.results.values() if result.stored_at < stored_before]
        for result in expired:
            del self.results[result.task_id]
            self._lease(result.file_id, result.storage)
        return [OrphanedFile(result.file_id, result.storage) for result in expired]

    def leased(self) -> list[str]:
        """Return the files that are leased by any process."""
        return sorted(self._leases)

    def _lease(self, file_id: str, storage: str) -> None:
        self._leases[file_id] = (self._owner, storage, self._now() + self._lease_s)

    def _is_mine(self, file_id: str) -> bool:
        return file_id in self._leases and self._leases[file_id][0] == self._owner


class MemoryArchives:
    """The `Archives` port over a dictionary. A writer raises `failure` after `fail_after` bytes of a file."""

    storage = GRIDFS

    def __init__(self) -> None:
        self.free: int | None = None
        self.location: str | None = None
        self.fail_after: int | None = None
        self.failure: Exception = StorageUnavailable("the store does not answer")
        self.finishing: Callable[[], Awaitable[None]] | None = None
        self.files: dict[str, bytes] = {}
        self._numbers = itertools.count()

    def new_id(self) -> str:
        """Return an unused file id; see `Archives`."""
        return f"{next(self._numbers):024x}"

    @asynccontextmanager
    async def writing(self, file_id: str, size: int) -> AsyncIterator["MemoryWriter"]:
        """Give a writer; see `Archives`."""
        self.files[file_id] = b""
        yield MemoryWriter(self, file_id)

    async def read(self, file_id: str, *, first: int, length: int) -> AsyncIterator[bytes]:
        """Yield a part of a file; see `Archives`."""
        content = self.files.get(file_id, b"")[first : first + length]
        if len(content) < length:
            raise BytesMissing(f"bytes of archive {file_id} are missing")
        for start in range(0, length, _CHUNK_BYTES):
            yield content[start : start + _CHUNK_BYTES]

    async def delete(self, file_id: str) -> None:
        """Remove a file, complete or not; see `Archives`."""
        self.files.pop(file_id, None)

    async def free_bytes(self) -> int | None:
        """Return the free bytes; see `Archives`."""
        return self.free


class MemoryWriter:
    """The `ArchiveWriter` port."""

    def __init__(self, archives: MemoryArchives, file_id: str) -> None:
        self._archives = archives
        self._file_id = file_id

    async def append(self, chunk: bytes) -> None:
        """Take the next bytes; see `ArchiveWriter`."""
        files, limit = self._archives.files, self._archives.fail_after
        files[self._file_id] += chunk
        if limit is not None and len(files[self._file_id]) > limit:
            raise self._archives.failure

    async def finish(self) -> str | None:
        """Return the location; see `ArchiveWriter`."""
        if self._archives.finishing is not None:
            await self._archives.finishing()
        return self._archives.location
