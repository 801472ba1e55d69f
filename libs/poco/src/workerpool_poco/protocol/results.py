"""Result digests: what a worker commits to with `contribute` and reveals with `reveal` (worker spec A.8).

The digest of a standard task follows from the files that the application left in `/iexec_out`, the digest of a
callback task from the bytes meant for the callback contract. The contract receives `resultHash` and `resultSeal`
first and the digest only with the reveal. `workerpool_poco.output_folder` applies these rules to a folder.
"""

import json
from collections.abc import Mapping
from typing import Any

from workerpool_poco.errors import InvalidId, PocoError
from workerpool_poco.protocol.encoding.keccak import keccak
from workerpool_poco.protocol.ids import Address, TaskId, address_bytes, bytes32, from_hex
from workerpool_poco.protocol.statuses import ReplicateStatusCause

IEXEC_OUT = "/iexec_out"
"""The path of the output folder inside the application's container."""

COMPUTED_FILE = "computed.json"
"""The file in which the application names its deterministic output."""


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


def folder_digest(sha256_by_name: Mapping[str, bytes]) -> bytes:
    """Return the digest of a folder: the keccak of its files' SHA-256, concatenated in the order of their names.

    Raises:
        EmptyOutput: the folder has no files.
    """
    if not sha256_by_name:
        raise EmptyOutput("deterministic-output-path is a folder without files")
    return keccak(b"".join(sha256_by_name[name] for name in sorted(sha256_by_name)))


def parse_computed(content: bytes) -> dict[str, Any]:
    """Return the object in a `computed.json`; raises `ComputedFileNotFound`."""
    try:
        computed = json.loads(content)
    except ValueError as cause:
        raise ComputedFileNotFound(f"{COMPUTED_FILE} is not JSON") from cause
    if not isinstance(computed, dict):
        raise ComputedFileNotFound(f"{COMPUTED_FILE} must hold a JSON object")
    return computed


def callback_data(computed: Mapping[str, Any]) -> bytes:
    """Return the bytes for the callback contract; raises `CallbackDataMissing`."""
    text = computed.get("callback-data")
    if not isinstance(text, str):
        raise CallbackDataMissing("a callback task must write callback-data")
    try:
        data = from_hex(text)
    except InvalidId as cause:
        raise CallbackDataMissing("callback-data must be hexadecimal") from cause
    if not data:
        raise CallbackDataMissing("callback-data is empty")
    return data


def output_path(computed: Mapping[str, Any]) -> str:
    """Return `deterministic-output-path` relative to `/iexec_out`, empty for the folder itself.

    The caller resolves `..` and symlinks. Raises `OutputPathInvalid` for a path outside `/iexec_out`.
    """
    text = computed.get("deterministic-output-path")
    if not isinstance(text, str) or not (text == IEXEC_OUT or text.startswith(IEXEC_OUT + "/")):
        raise OutputPathInvalid(f"deterministic-output-path must lie in {IEXEC_OUT}")
    return text[len(IEXEC_OUT) :].lstrip("/")
