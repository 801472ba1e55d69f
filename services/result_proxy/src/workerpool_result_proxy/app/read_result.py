"""Read stored results. Reads need no authentication, as with results on IPFS: confidentiality rests on encryption."""

from collections.abc import AsyncIterator

from workerpool_poco.protocol.ids import TaskId

from workerpool_result_proxy.app.ports import Archives, Store
from workerpool_result_proxy.domain.results import StoredResult
from workerpool_result_proxy.errors import OffsetBeyondEnd, ResultNotFound


class ReadResult:
    """Describes and streams stored archives."""

    def __init__(self, store: Store, archives: Archives) -> None:
        self._store = store
        self._archives = archives

    async def describe(self, task_id: TaskId) -> StoredResult:
        """Return the description of the task's result. Raises `ResultNotFound`."""
        result = await self._store.find_result(task_id)
        if result is None:
            raise ResultNotFound(f"no result is stored for task {task_id}")
        return result

    def content(
        self, result: StoredResult, *, first: int = 0, length: int | None = None
    ) -> AsyncIterator[bytes]:
        """Yield the archive's bytes from `first`, at most `length`; none at its end. Raises `OffsetBeyondEnd`."""
        if first > result.size:
            raise OffsetBeyondEnd(f"the archive has {result.size} bytes; it cannot be read from byte {first}")
        rest = result.size - first
        wanted = rest if length is None else min(length, rest)
        return self._archives.read(result.file_id, first=first, length=wanted)
