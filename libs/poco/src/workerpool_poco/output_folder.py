"""The output folder of an application: reads `computed.json` and computes the digest of the named output."""

import hashlib
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workerpool_poco.protocol.results import (
    COMPUTED_FILE,
    IEXEC_OUT,
    ComputedFileNotFound,
    OutputPathInvalid,
    OutputPathNotFound,
    callback_data,
    callback_digest,
    folder_digest,
    output_path,
    parse_computed,
)


def read_computed(output_folder: Path) -> dict[str, Any]:
    """Read `computed.json` of an output folder; raises `ComputedFileNotFound`."""
    path = output_folder / COMPUTED_FILE
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise ComputedFileNotFound(f"{COMPUTED_FILE} is not a regular file")
        content = path.read_bytes()
    except OSError as cause:
        raise ComputedFileNotFound(f"the application must write {IEXEC_OUT}/{COMPUTED_FILE}") from cause
    return parse_computed(content)


def result_digest(output_folder: Path, computed: Mapping[str, Any], *, callback: bool = False) -> bytes:
    """Return the 32-byte digest of a standard task.

    A file counts as the SHA-256 of its content, a folder as `folder_digest` of its direct files; sub-folders add
    nothing. Raises a subclass of `ResultDigestError`, or OSError when a file cannot be read.

    Args:
        output_folder: the host folder that the container saw as `/iexec_out`.
        computed: the content of `computed.json`. The key `result-digest` is ignored: only an enclave may state
            its own digest.
        callback: whether the deal names a callback contract; then only `callback-data` counts.
    """
    if callback:
        return callback_digest(callback_data(computed))
    root = output_folder.resolve()
    target = _resolve(root, output_path(computed))
    if target.is_file():
        return _sha256(target)
    if not target.is_dir():
        raise OutputPathNotFound("deterministic-output-path is neither a file nor a folder")
    files = {path.name: path for path in target.iterdir() if path.is_file()}
    for name, path in files.items():
        if not path.resolve().is_relative_to(root):
            raise OutputPathInvalid(f"{name} is a symlink that leads out of {IEXEC_OUT}")
    return folder_digest({name: _sha256(path) for name, path in files.items()})


def _resolve(root: Path, relative: str) -> Path:
    try:
        target = (root / relative).resolve()
    except (OSError, RuntimeError, ValueError) as cause:  # a loop of symlinks, a NUL byte
        raise OutputPathInvalid("deterministic-output-path cannot be resolved") from cause
    if not target.is_relative_to(root):
        raise OutputPathInvalid(f"deterministic-output-path leads out of {IEXEC_OUT}")
    if not target.exists():
        raise OutputPathNotFound("deterministic-output-path names nothing")
    return target


def _sha256(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
