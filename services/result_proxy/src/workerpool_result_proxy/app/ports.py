"""What the use cases need from outside; `adapters` implements it."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from workerpool_poco.protocol.authorization import WorkerpoolAuthorization
from workerpool_poco.protocol.ids import Address, DealId, TaskId
from workerpool_poco.protocol.model import ChainTask, Contribution, Deal

from workerpool_result_proxy.domain.results import Declaration, StoredResult


class ChainView(Protocol):
    """Reads the hub contract. A task, deal or contribution that is not on chain reads as zeros.

    Every method raises `ChainUnreachable` when the node does not answer.
    """

    async def task(self, task_id: TaskId) -> ChainTask:
        """Return `viewTask`."""

    async def deal(self, deal_id: DealId) -> Deal:
        """Return `viewDeal`."""

    async def contribution(self, task_id: TaskId, worker: Address) -> Contribution:
        """Return `viewContribution`."""


class Store(Protocol):
    """Stores authorizations and results. A write that returned survives the loss of the process.

    Every method raises `DatabaseUnavailable` during an outage.
    """

    async def keep_authorization(self, authorization: WorkerpoolAuthorization) -> None:
        """Store a checked authorization; the first of a task and worker stays."""

    async def is_authorized(self, task_id: TaskId, worker: Address) -> bool:
        """Return whether an authorization of this worker for this task is stored."""

    async def find_result(self, task_id: TaskId) -> StoredResult | None:
        """Return the task's result."""

    async def announce(self, file_id: str) -> None:
        """Record that the bytes of `file_id` are about to be written, so that a crash leaves no orphaned bytes."""

    async def commit(self, result: StoredResult) -> bool:
        """Store the result as the task's only one, and retract its file; return False when the task has a result."""

    async def retract(self, file_id: str) -> None:
        """Forget an announced file, whose bytes are removed."""

    async def announced(self) -> list[str]:
        """Return the announced files that are neither committed nor retracted, sorted."""


class Archives(Protocol):
    """Stores the bytes of archives."""

    def new_id(self) -> str:
        """Return an unused file id."""

    async def put(self, file_id: str, path: Path) -> None:
        """Store a file; return when it is durable."""

    def read(self, file_id: str, *, first: int, length: int) -> AsyncIterator[bytes]:
        """Yield `length` bytes from byte `first`, in pieces of at most 1 MiB.

        Raises `LookupError` when some of them are missing.
        """

    async def delete(self, file_id: str) -> None:
        """Remove a file; a partly written or missing one is accepted."""


class IncomingArchive(Protocol):
    """The bytes of one upload in a temporary file. The methods that write raise `StorageFull` on a full disk."""

    @property
    def path(self) -> Path:
        """The file."""

    async def append(self, chunk: bytes) -> None:
        """Write the next bytes. Raises `SizeMismatch` at the first byte beyond the declared size."""

    async def finish(self) -> None:
        """Check that the file is what was declared. Raises `SizeMismatch` or `ChecksumMismatch`."""

    async def result_digest(self) -> bytes:
        """Unpack the archive and return its result digest (worker spec A.8). Raises `ArchiveRefused`."""


class Workspace(Protocol):
    """Space for temporary files."""

    def incoming(self, declared: Declaration) -> AbstractAsyncContextManager[IncomingArchive]:
        """Give an empty incoming archive that is removed at the end, with everything unpacked from it."""
