"""Reads of stored results, without authentication, as with results on IPFS; encryption gives confidentiality."""

from collections.abc import AsyncIterator, Mapping

from workerpool_kit.errors import WorkerpoolError
from workerpool_kit.logs import get_logger
from workerpool_poco.protocol.ids import TaskId

from workerpool_result_proxy import metrics
from workerpool_result_proxy.app.ports import Archives, BytesMissing, Store
from workerpool_result_proxy.domain.results import StoredResult
from workerpool_result_proxy.errors import (
    OffsetBeyondEnd,
    ResultIncomplete,
    ResultNotFound,
    StorageUnavailable,
)

log = get_logger()


class ReadResult:
    """The lookup and streaming of stored archives."""

    def __init__(self, store: Store, archives: Mapping[str, Archives]) -> None:
        """Create the use case; `archives` are the stores by name."""
        self._store = store
        self._archives = archives

    async def describe(self, task_id: TaskId) -> StoredResult:
        """Return the description of the task's result. Raises `ResultNotFound`."""
        result = await self._store.find_result(task_id)
        if result is None:
            raise ResultNotFound(f"no result is stored for task {task_id}; retry once the task is completed")
        return result

    def content(
        self, result: StoredResult, *, first: int = 0, length: int | None = None
    ) -> AsyncIterator[bytes]:
        """Yield at most `length` bytes of the archive from `first`; none at its end.

        Raises `OffsetBeyondEnd`. The iterator raises `ResultIncomplete` when the store has lost bytes of the archive,
        and `ResultNotFound` when the result is removed meanwhile.
        """
        if first > result.size:
            raise OffsetBeyondEnd(f"the archive has {result.size} bytes; read it from a byte before {first}")
        archives = self._archives.get(result.storage)
        if archives is None:
            raise StorageUnavailable(
                f"this result is stored in {result.storage}, which this proxy does not use; tell the pool's operator "
                "to set IEXEC_IPFS_URL again"
            )
        rest = result.size - first
        wanted = rest if length is None else min(length, rest)
        return self._pieces(result, archives.read(result.file_id, first=first, length=wanted))

    async def _pieces(self, result: StoredResult, stored: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        try:
            async for piece in stored:
                yield piece
        except BytesMissing as missing:
            raise await self._loss(result, missing) from missing

    async def _loss(self, result: StoredResult, missing: BytesMissing) -> WorkerpoolError:
        """Return the refusal for missing bytes: the retention of a result may end while it is read."""
        current = await self._store.find_result(result.task_id)
        if current is None or current.file_id != result.file_id:
            return ResultNotFound(
                f"the result of task {result.task_id} was removed while it was read, because this proxy keeps results "
                "for a limited time; read the next ones earlier"
            )
        metrics.INCOMPLETE_READS.inc()
        log.error(
            "result.bytes_lost",
            task=result.task_id,
            storage=result.storage,
            file=result.file_id,
            missing=str(missing),
            next_step="restore these bytes of the store of archives from a backup",
        )
        return ResultIncomplete(
            f"the store of archives ({result.storage}) has lost a part of this result: {missing}; tell the pool's "
            "operator to restore it from a backup, or buy the task again",
            details={"task": result.task_id, "storage": result.storage, "file": result.file_id},
        )
