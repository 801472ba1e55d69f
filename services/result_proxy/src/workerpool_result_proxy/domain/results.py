"""The description of a result, and the link under which requesters find it."""

from dataclasses import dataclass
from datetime import datetime

from workerpool_poco.protocol.ids import Address, TaskId
from workerpool_poco.protocol.result_link import STORAGE_IPFS, ResultLink


@dataclass(frozen=True)
class Declaration:
    """The header of an upload: `size` in bytes, hashes of 32 bytes."""

    task_id: TaskId
    size: int
    sha256: bytes
    result_digest: bytes


@dataclass(frozen=True)
class StoredResult:
    """An archive that passed all checks: `size` in bytes, `file_id` of its bytes in `Archives`."""

    task_id: TaskId
    size: int
    sha256: bytes
    result_digest: bytes
    result_link: str
    uploader: Address
    stored_at: datetime
    file_id: str


def link_for(task_id: TaskId) -> str:
    """Return the result link (JSON) of an archive stored here.

    Requesters' tools request `GET {gateway}{location}` for the storage "ipfs"; with this proxy as their gateway they
    download the archive from its HTTP port.
    """
    return ResultLink(STORAGE_IPFS, f"/results/{task_id}").encode()
