"""What is known of a stored result, and where requesters find it."""

from dataclasses import dataclass
from datetime import datetime

from workerpool_poco.protocol.ids import Address, to_hex
from workerpool_poco.protocol.result_link import STORAGE_IPFS, ResultLink


@dataclass(frozen=True)
class Declaration:
    """What the header of an upload promises: `size` in bytes, hashes as 32 bytes."""

    task_id: bytes
    size: int
    sha256: bytes
    result_digest: bytes


@dataclass(frozen=True)
class StoredResult:
    """An archive that passed all checks. `size` in bytes; `file_id` names its bytes in the store."""

    task_id: bytes
    size: int
    sha256: bytes
    result_digest: bytes
    result_link: str
    uploader: Address
    stored_at: datetime
    file_id: str


def link_for(task_id: bytes) -> str:
    """Return the result link (JSON) of an archive kept here.

    Requesters' tools download ``GET {gateway}{location}`` for the storage "ipfs", so with this proxy as their
    gateway they get the archive from its HTTP side.
    """
    return ResultLink(STORAGE_IPFS, f"/results/{to_hex(task_id)}").encode()
