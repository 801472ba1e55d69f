"""What a worker commits to on chain: the digest of a result, its hash and its seal.

The digest of a standard task is computed from the files the application left in
``/iexec_out``; the digest of a callback task from the bytes meant for the callback
contract. The contract sees ``resultHash`` and ``resultSeal`` first and the digest
only at reveal time.
"""

import hashlib
import json
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eth_utils.crypto import keccak

from workerpool_poco.errors import InvalidId, PocoError
from workerpool_poco.protocol.ids import Address, TaskId, address_bytes, bytes32, from_hex
from workerpool_poco.protocol.result_link import InvalidResultLink, ResultLink
from workerpool_poco.protocol.statuses import ReplicateStatusCause

__all__ = [
    "COMPUTED_FILE",
    "IEXEC_OUT",
    "CallbackDataMissing",
    "ComputedFileNotFound",
    "EmptyOutput",
    "InvalidResultLink",
    "OutputPathInvalid",
    "OutputPathNotFound",
    "ResultDigestError",
    "ResultLink",
    "callback_digest",
    "enclave_message",
    "read_computed",
    "result_digest",
    "result_hash",
    "result_seal",
]

IEXEC_OUT = "/iexec_out"
"""Where the application sees its output folder inside the container."""

COMPUTED_FILE = "computed.json"
"""The file in which the application names its deterministic output."""

_CHUNK_BYTES = 1 << 20


class ResultDigestError(PocoError):
    """No digest can be computed from what the application left; ``cause`` is what the protocol calls it."""

    cause = ReplicateStatusCause.POST_COMPUTE_RESULT_DIGEST_COMPUTATION_FAILED


class ComputedFileNotFound(ResultDigestError):
    """The application wrote no readable ``computed.json`` (absent, not JSON, or not a JSON object)."""

    cause = ReplicateStatusCause.POST_COMPUTE_COMPUTED_FILE_NOT_FOUND


class OutputPathInvalid(ResultDigestError):
    """``deterministic-output-path`` is absent, or leads out of ``/iexec_out`` (by ``..`` or a symlink)."""


class OutputPathNotFound(ResultDigestError):
    """``deterministic-output-path`` names nothing, or something that is neither a file nor a folder."""


class EmptyOutput(ResultDigestError):
    """``deterministic-output-path`` is a folder without a single file."""


class CallbackDataMissing(ResultDigestError):
    """A callback task left no ``callback-data``, or it is not hexadecimal."""


def result_hash(task_id: TaskId, digest: bytes) -> bytes:
    """Return ``keccak256(taskid ‖ resultDigest)``, the same for all workers that agree (contribute)."""
    return keccak(bytes32(task_id) + bytes32(digest))


def result_seal(worker: Address, task_id: TaskId, digest: bytes) -> bytes:
    """Return ``keccak256(worker ‖ taskid ‖ resultDigest)``, which proves that this worker knew the digest."""
    return keccak(address_bytes(worker) + bytes32(task_id) + bytes32(digest))


def enclave_message(hash_: bytes, seal: bytes) -> bytes:
    """Return ``keccak256(resultHash ‖ resultSeal)``, what an enclave key signs (EIP-191) for contribute."""
    return keccak(bytes32(hash_) + bytes32(seal))


def callback_digest(data: bytes) -> bytes:
    """Return the digest of a callback task: ``keccak256`` of the bytes sent to the callback contract."""
    return keccak(data)


def read_computed(output_dir: Path) -> dict[str, Any]:
    """Read ``computed.json`` of an output folder; raises :class:`ComputedFileNotFound`."""
    path = output_dir / COMPUTED_FILE
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise ComputedFileNotFound(f"{COMPUTED_FILE} is not a regular file")
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as cause:
        raise ComputedFileNotFound(f"the application must write {IEXEC_OUT}/{COMPUTED_FILE}") from cause
    if not isinstance(content, dict):
        raise ComputedFileNotFound(f"{COMPUTED_FILE} must hold a JSON object")
    return content


def result_digest(output_dir: Path, computed: Mapping[str, Any], *, callback: bool = False) -> bytes:
    """Return the 32-byte digest of a standard task.

    Args:
        output_dir: the host folder that the container saw as ``/iexec_out``.
        computed: the content of ``computed.json``. A ``result-digest`` key is ignored:
            only an enclave may state its own digest.
        callback: whether the deal names a callback contract; then only
            ``callback-data`` counts.

    A file counts as the SHA-256 of its content; a folder as the keccak of the
    SHA-256 of its direct files, sorted by path and concatenated (sub-folders add
    nothing). Raises a sub-class of :class:`ResultDigestError`.
    """
    if callback:
        return callback_digest(_callback_data(computed))
    target = _deterministic_output(output_dir, computed)
    if target.is_file():
        return _sha256(target)
    if not target.is_dir():
        raise OutputPathNotFound("deterministic-output-path is neither a file nor a folder")
    root = output_dir.resolve()
    files = [path for path in sorted(target.iterdir(), key=lambda entry: entry.name) if path.is_file()]
    for path in files:
        if not path.resolve().is_relative_to(root):
            raise OutputPathInvalid(f"{path.name} is a link that leads out of {IEXEC_OUT}")
    if not files:
        raise EmptyOutput("deterministic-output-path is a folder without files")
    return keccak(b"".join(_sha256(path) for path in files))


def _callback_data(computed: Mapping[str, Any]) -> bytes:
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


def _deterministic_output(output_dir: Path, computed: Mapping[str, Any]) -> Path:
    text = computed.get("deterministic-output-path")
    if not isinstance(text, str) or not (text == IEXEC_OUT or text.startswith(IEXEC_OUT + "/")):
        raise OutputPathInvalid(f"deterministic-output-path must lie in {IEXEC_OUT}")
    root = output_dir.resolve()
    try:
        target = (root / text[len(IEXEC_OUT) :].lstrip("/")).resolve()
    except (OSError, RuntimeError, ValueError) as cause:  # a loop of links, a NUL byte
        raise OutputPathInvalid("deterministic-output-path cannot be followed") from cause
    if not target.is_relative_to(root):
        raise OutputPathInvalid(f"deterministic-output-path leads out of {IEXEC_OUT}")
    if not target.exists():
        raise OutputPathNotFound("deterministic-output-path names nothing")
    return target


def _sha256(path: Path) -> bytes:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.digest()
