"""The description of a result, and its result link."""

from dataclasses import dataclass, field
from datetime import datetime

from workerpool_poco.protocol.ids import Address, TaskId
from workerpool_poco.protocol.result_link import STORAGE_IPFS, ResultLink

GRIDFS, IPFS = "gridfs", "ipfs"
"""The stores of archives."""


@dataclass(frozen=True)
class Declaration:
    """The header of an upload: `size` in bytes, hashes of 32 bytes; older clients declare no result digest."""

    task_id: TaskId
    size: int
    sha256: bytes
    result_digest: bytes | None
    offset: int = field(default=0, compare=False)
    """The position of the first byte in the upload; the bytes before it arrived earlier."""


@dataclass(frozen=True)
class StoredResult:
    """An archive that passed all checks: `size` in bytes, `file_id` of its bytes in the `Archives` named `storage`."""

    task_id: TaskId
    size: int
    sha256: bytes
    result_digest: bytes
    result_link: str
    uploader: Address
    stored_at: datetime
    file_id: str
    storage: str = GRIDFS


@dataclass(frozen=True, order=True)
class OrphanedFile:
    """Bytes in the `Archives` named `storage` that belong to no result and must be removed."""

    file_id: str
    storage: str = GRIDFS


def link_for(task_id: TaskId, location: str | None = None) -> str:
    """Return the result link (JSON) of an archive stored here, with its own location (`/ipfs/<cid>`) if it has one.

    For the storage "ipfs", requesters' tools request `GET {gateway}{location}`; with this proxy as the gateway they
    download the archive from its HTTP port.
    """
    return ResultLink(STORAGE_IPFS, location or f"/results/{task_id}").encode()
