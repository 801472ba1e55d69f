"""What the use cases need from outside; `adapters` implements it."""

from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from workerpool_poco.protocol.authorization import WorkerpoolAuthorization
from workerpool_poco.protocol.ids import Address, DealId, TaskId
from workerpool_poco.protocol.model import ChainTask, Contribution, Deal

from workerpool_result_proxy.domain.results import Declaration, OrphanedFile, StoredResult


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

    async def keep_authorization(
        self, authorization: WorkerpoolAuthorization, *, expires_at: datetime, most: int
    ) -> bool:
        """Store a checked authorization until `expires_at`; the first of a task and worker stays.

        Returns False when the task has those of `most` other workers. Processes that store at once may exceed it by one
        each.
        """

    async def is_authorized(self, task_id: TaskId, worker: Address) -> bool:
        """Return whether an authorization of this worker for this task is stored."""

    async def forget_authorizations(self, expired_before: datetime) -> int:
        """Remove the authorizations that expired before a time; return their number."""

    async def find_result(self, task_id: TaskId) -> StoredResult | None:
        """Return the task's result."""

    async def announce(self, file_id: str, storage: str) -> None:
        """Lease `file_id`, whose bytes are about to be written to `storage`: a crash leaves no orphaned bytes."""

    async def renew(self, file_ids: Collection[str]) -> None:
        """Extend the leases of this process on these files."""

    async def commit(self, result: StoredResult) -> bool:
        """Store the result as the task's only one and end the lease on its file; return False when it has a result.

        Both happen or neither does. Raises `LeaseLost` when another process has taken the file for abandoned.
        """

    async def retract(self, file_id: str) -> None:
        """Forget an announced file, whose bytes are removed."""

    async def claim_orphans(self, dead: Collection[str] = ()) -> list[OrphanedFile]:
        """Lease the files that no result names and whose lease has expired, or was of a `dead` process; sorted."""

    async def expire(self, stored_before: datetime) -> list[OrphanedFile]:
        """Forget a number of results that are older, and lease their files for removal; empty when none is left."""


class ArchiveWriter(Protocol):
    """Receives the bytes of one file in order. Any method may raise `StorageUnavailable` or `DatabaseUnavailable`."""

    async def append(self, chunk: bytes) -> None:
        """Take the next bytes; wait while too many are on their way."""

    async def finish(self) -> str | None:
        """Return when the file is durable; its location (`/ipfs/<cid>`) or None when it has none of its own."""


class BytesMissing(LookupError):
    """The store lacks bytes of a file; the text says which."""


class Archives(Protocol):
    """Stores the bytes of archives."""

    storage: str
    """What results call this store."""

    def new_id(self) -> str:
        """Return an unused file id."""

    def writing(self, file_id: str) -> AbstractAsyncContextManager[ArchiveWriter]:
        """Give a writer of a new file. At the end nothing more is written; an unfinished file is to be deleted."""

    def read(self, file_id: str, *, first: int, length: int) -> AsyncIterator[bytes]:
        """Yield `length` bytes from byte `first`, in pieces of at most 1 MiB.

        Raises `BytesMissing` when the store lacks some of them: before the first piece where it can tell, otherwise
        after those that it has.
        """

    async def delete(self, file_id: str) -> None:
        """Remove a file; a partly written or missing one is accepted."""

    async def free_bytes(self) -> int | None:
        """Return how many bytes more it can hold, None when it does not tell."""


@dataclass(frozen=True)
class ContentFile:
    """A file in IPFS: its content id, and `size` in bytes."""

    cid: str
    size: int


class IpfsContent(Protocol):
    """Any file that the IPFS node has or finds. Methods raise `StorageUnavailable` when it does not answer."""

    async def find(self, path: str) -> ContentFile:
        """Return the file at `<cid>[/path]`. Raises `ContentNotFound`, also for a folder."""

    def read(self, cid: str, *, first: int, length: int) -> AsyncIterator[bytes]:
        """Yield `length` bytes from byte `first`, in pieces of at most 1 MiB. Raises `ContentIncomplete`."""


class IncomingArchive(Protocol):
    """The bytes of one upload in a temporary file. The methods that write raise `StorageFull` on a full disk."""

    @property
    def received(self) -> int:
        """How many bytes arrived, from the first one, without a gap."""

    async def append(self, chunk: bytes) -> None:
        """Write the next bytes, all or none. Raises `SizeMismatch` at the first byte beyond the declared size."""

    def content(self) -> AsyncIterator[bytes]:
        """Yield the bytes that arrived, in pieces of at most 1 MiB."""

    async def finish(self) -> None:
        """Check that the file is what was declared. Raises `SizeMismatch` or `ChecksumMismatch`."""

    async def result_digest(self) -> bytes:
        """Check the archive and return its result digest (worker spec A.8). Raises `ArchiveRefused`."""


A = TypeVar("A", bound=IncomingArchive)


class Workspace(Protocol[A]):
    """Space for temporary files."""

    def create(self, declared: Declaration) -> A:
        """Return an empty incoming archive. Raises `StorageFull` on a full disk."""

    async def remove(self, archive: A) -> None:
        """Remove the temporary file of an incoming archive."""

    async def free_bytes(self) -> int:
        """Return the free bytes of the volume."""
