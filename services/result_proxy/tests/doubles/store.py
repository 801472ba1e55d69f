"""Authorizations, results and archive bytes in memory."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

from workerpool_poco.protocol.authorization import WorkerpoolAuthorization
from workerpool_poco.protocol.ids import Address, TaskId
from workerpool_result_proxy.domain.results import StoredResult

_CHUNK_BYTES = 1 << 20


class MemoryStore:
    """The `Store` port over dictionaries."""

    def __init__(self) -> None:
        self.authorizations: dict[tuple[TaskId, Address], WorkerpoolAuthorization] = {}
        self.results: dict[TaskId, StoredResult] = {}
        self._announced: set[str] = set()

    async def keep_authorization(self, authorization: WorkerpoolAuthorization) -> None:
        """Store an authorization; see `Store`."""
        self.authorizations.setdefault((authorization.task_id, authorization.worker), authorization)

    async def is_authorized(self, task_id: TaskId, worker: Address) -> bool:
        """Return whether an authorization is stored; see `Store`."""
        return (task_id, worker) in self.authorizations

    async def find_result(self, task_id: TaskId) -> StoredResult | None:
        """Return the task's result; see `Store`."""
        return self.results.get(task_id)

    async def announce(self, file_id: str) -> None:
        """Record a file that is about to be written; see `Store`."""
        self._announced.add(file_id)

    async def commit(self, result: StoredResult) -> bool:
        """Store the result as the task's only one; see `Store`."""
        if self.results.setdefault(result.task_id, result) is not result:
            return False
        self._announced.discard(result.file_id)
        return True

    async def retract(self, file_id: str) -> None:
        """Forget an announced file; see `Store`."""
        self._announced.discard(file_id)

    async def announced(self) -> list[str]:
        """Return the files of interrupted uploads; see `Store`."""
        return sorted(self._announced)


class MemoryArchives:
    """The `Archives` port over a dictionary."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self._numbers = itertools.count()

    def new_id(self) -> str:
        """Return an unused file id; see `Archives`."""
        return f"{next(self._numbers):024x}"

    async def put(self, file_id: str, path: Path) -> None:
        """Store a file; see `Archives`."""
        self.files[file_id] = await asyncio.to_thread(path.read_bytes)

    async def read(self, file_id: str, *, first: int, length: int) -> AsyncIterator[bytes]:
        """Yield a part of a file; see `Archives`."""
        content = self.files.get(file_id, b"")[first : first + length]
        if len(content) < length:
            raise LookupError(f"bytes of archive {file_id} are missing")
        for start in range(0, length, _CHUNK_BYTES):
            yield content[start : start + _CHUNK_BYTES]

    async def delete(self, file_id: str) -> None:
        """Remove a file, complete or not; see `Archives`."""
        self.files.pop(file_id, None)
