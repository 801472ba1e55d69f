"""The ports of the use cases, implemented by `adapters`."""

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
    """Reads of the hub contract; a task, deal or contribution that is not on chain reads as zeros.

    Every method raises `ChainUnreachable` when the node does not answer.
    """

    async def task(self, task_id: TaskId) -> ChainTask:
        """Return `viewTask`."""

    async def deal(self, deal_id: DealId) -> Deal:
        """Return `viewDeal`."""

    async def contribution(self, task_id: TaskId, worker: Address) -> Contribution:
        """Return `viewContribution`."""


class Store(Protocol):
    """The durable store of authorizations and results.

    Every method raises `DatabaseUnavailable` during an outage.
    """

    async def keep_authorization(
        self, authorization: WorkerpoolAuthorization, *, expires_at: datetime, most: int
    ) -> bool:
        """Store a checked authorization until `expires_at`, unless the task and worker have one.

        Returns False when the task has authorizations of `most` other workers. Concurrent processes may each exceed the
        limit by one.
        """

    async def is_authorized(self, task_id: TaskId, worker: Address) -> bool:
        """Return whether an authorization of this worker for this task is stored."""

    async def forget_authorizations(self, expired_before: datetime) -> int:
        """Remove the authorizations that expired before a time; return their number."""

    async def find_result(self, task_id: TaskId) -> StoredResult | None:
        """Return the task's result."""

    async def announce(self, file_id: str, storage: str) -> None:
        """Lease `file_id` before its bytes are written to `storage`, so that a crash leaves no orphaned bytes."""

    async def renew(self, file_ids: Collection[str]) -> None:
        """Extend the leases of this process on these files."""

    async def commit(self, result: StoredResult) -> bool:
        """Store the only result of a task and end the lease on its file, atomically; return False if it has a result.

        Raises `LeaseLost` when another process took over the expired lease.
        """

    async def retract(self, file_id: str) -> None:
        """End the lease on a file after its bytes were removed."""

    async def claim_orphans(self, dead: Collection[str] = ()) -> list[OrphanedFile]:
        """Lease the files without a result whose lease has expired, or was of a `dead` process; sorted."""

    async def expire(self, stored_before: datetime) -> list[OrphanedFile]:
        """Remove some older results, and lease their files for removal; empty when none is left."""


class ArchiveWriter(Protocol):
    """The writer of one file, in order. Any method may raise `StorageUnavailable` or `DatabaseUnavailable`."""

    async def append(self, chunk: bytes) -> None:
        """Write the next bytes; wait while too many are in flight."""

    async def finish(self) -> str | None:
        """Make the file durable; return its location (`/ipfs/<cid>`), or None when it has none."""


class BytesMissing(LookupError):
    """The store lacks bytes of a file, as the message says."""


class Archives(Protocol):
    """The store of the bytes of archives."""

    storage: str
    """The name of this store in results."""

    def new_id(self) -> str:
        """Return an unused file id."""

    def writing(self, file_id: str, size: int) -> AbstractAsyncContextManager[ArchiveWriter]:
        """Return a writer of a new file of `size` bytes; after the context no write is in flight.

        Delete an unfinished file.
        """

    def read(self, file_id: str, *, first: int, length: int) -> AsyncIterator[bytes]:
        """Yield `length` bytes from byte `first`, in pieces of at most 1 MiB.

        Raises `BytesMissing` when the store lacks some of them: before the first piece if it can tell, otherwise after
        the existing ones.
        """

    async def delete(self, file_id: str) -> None:
        """Remove a file, complete, partial or missing."""

    async def free_bytes(self) -> int | None:
        """Return its free bytes; None when unknown."""


@dataclass(frozen=True)
class ContentFile:
    """A file in IPFS: its content id, and `size` in bytes."""

    cid: str
    size: int


class IpfsContent(Protocol):
    """Any file that the IPFS node has or finds; methods raise `StorageUnavailable` when it does not answer."""

    async def find(self, path: str) -> ContentFile:
        """Return the file at `<cid>[/path]`. Raises `ContentNotFound`, also for a folder."""

    def read(self, cid: str, *, first: int, length: int) -> AsyncIterator[bytes]:
        """Yield `length` bytes from byte `first`, in pieces of at most 1 MiB. Raises `ContentIncomplete`."""


class IncomingArchive(Protocol):
    """The bytes of one upload in a temporary file."""

    @property
    def received(self) -> int:
        """The number of bytes received from the start, without a gap; 0 once a write has failed."""

    async def append(self, chunk: bytes) -> None:
        """Add the next bytes; wait while too many are in flight. Raises the failure of an earlier write.

        Raises `SizeMismatch` at the first byte beyond the declared size, and `StorageFull` on a full disk.
        """

    async def settle(self) -> None:
        """Wait until no write is in flight. Never raises: a failure shows in `received`."""

    def content(self) -> AsyncIterator[bytes]:
        """Yield the received bytes, in pieces of at most 1 MiB."""

    async def finish(self) -> None:
        """Check the file against its declaration. Raises what `append` raises, and `ChecksumMismatch`."""

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
