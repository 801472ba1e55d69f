"""Result digests: what a worker commits to with `contribute` and reveals with `reveal` (worker spec A.8).

The digest of a standard task follows from the files that the application left in `/iexec_out`, the digest of a
callback task from the bytes meant for the callback contract. The contract receives `resultHash` and `resultSeal`
first and the digest only with the reveal. `workerpool_poco.result_archive` applies these rules to a folder.
"""

import hashlib
import json
from collections.abc import Mapping

from workerpool_poco.errors import PocoError
from workerpool_poco.protocol.encoding.keccak import keccak
from workerpool_poco.protocol.ids import Address, TaskId, address_bytes, bytes32
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause

IEXEC_OUT = "/iexec_out"
"""The path of the output folder inside the application's container."""

COMPUTED_FILE = "computed.json"
"""The file in which the application names its deterministic output."""


ERROR_FILE = "error.txt"
"""The file of an error result that tells the requester what happened. It is not part of the digest."""

ERROR_DIGEST_FILE = "error.json"
"""The deterministic file of an error result; its `computed.json` names it as any other output."""


class ResultDigestError(PocoError):
    """The application's output has no digest; `cause` is the protocol's cause."""

    cause = ReplicateStatusCause.POST_COMPUTE_RESULT_DIGEST_COMPUTATION_FAILED


class ComputedFileNotFound(ResultDigestError):
    """The application wrote no readable `computed.json` (absent, not JSON, or not a JSON object)."""

    cause = ReplicateStatusCause.POST_COMPUTE_COMPUTED_FILE_NOT_FOUND


class OutputPathInvalid(ResultDigestError):
    """`deterministic-output-path` is absent, or leads out of `/iexec_out` (by `..` or a symlink)."""


class OutputPathNotFound(ResultDigestError):
    """`deterministic-output-path` names nothing, or neither a file nor a folder."""


class EmptyOutput(ResultDigestError):
    """`deterministic-output-path` is a folder without files."""


class CallbackDataMissing(ResultDigestError):
    """A callback task left no `callback-data`, or it is not hexadecimal."""


def result_hash(task_id: TaskId, digest: bytes) -> bytes:
    """Return `keccak256(taskid ‖ resultDigest)`, equal for all workers that agree (`contribute`)."""
    return keccak(bytes32(task_id) + bytes32(digest))


def result_seal(worker: Address, task_id: TaskId, digest: bytes) -> bytes:
    """Return `keccak256(worker ‖ taskid ‖ resultDigest)`, which proves that this worker knew the digest."""
    return keccak(address_bytes(worker) + bytes32(task_id) + bytes32(digest))


def enclave_message(hash_: bytes, seal: bytes) -> bytes:
    """Return `keccak256(resultHash ‖ resultSeal)`, which an enclave key signs (EIP-191) for `contribute`."""
    return keccak(bytes32(hash_) + bytes32(seal))


def callback_digest(data: bytes) -> bytes:
    """Return the digest of a callback task: `keccak256` of the bytes sent to the callback contract."""
    return keccak(data)


def error_result(status: ReplicateStatus, cause: ReplicateStatusCause, exit_code: int | None) -> bytes:
    """Return the content of `error.json`, the deterministic output of an error result.

    It is equal on all workers that fail alike, so it holds nothing that differs by host, such as a limit or a log.
    `exit_code` is None if the application did not run.
    """
    content = {"status": status.value, "cause": cause.value, "exit-code": exit_code}
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def error_digest(
    status: ReplicateStatus, cause: ReplicateStatusCause, exit_code: int | None, *, callback: bool
) -> bytes:
    """Return the digest of an error result: that of its `error.json`, or of no bytes for a callback task.

    The callback contract receives no bytes then, so it never stores an error text as if it were a result.
    """
    if callback:
        return callback_digest(b"")
    return hashlib.sha256(error_result(status, cause, exit_code)).digest()


def folder_digest(sha256_by_name: Mapping[str, bytes]) -> bytes:
    """Return the digest of a folder: the keccak of its files' SHA-256, concatenated in the order of their names.

    Raises:
        EmptyOutput: the folder has no files.
    """
    if not sha256_by_name:
        raise EmptyOutput("deterministic-output-path is a folder without files")
    return keccak(b"".join(sha256_by_name[name] for name in sorted(sha256_by_name)))
