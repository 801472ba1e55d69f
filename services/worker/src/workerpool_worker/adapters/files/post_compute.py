"""Post-compute of a standard task (worker spec A.8, in its order): file names, archive, computed.json, digest."""

import json
import os
from pathlib import Path

from workerpool_poco.output_folder import read_computed, result_digest
from workerpool_poco.protocol.ids import from_hex, to_hex
from workerpool_poco.protocol.results import COMPUTED_FILE, ResultDigestError
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause

from workerpool_worker.adapters.files.archive import write_archive
from workerpool_worker.adapters.files.task_files import TaskFiles
from workerpool_worker.domain.record import Result
from workerpool_worker.errors import PostComputeFailed

MAX_FILE_NAME_CHARACTERS = 31
ERROR_FILE = "error.txt"
MAX_CALLBACK_CHARACTERS = 65_538
"""Longest callback data as `0x…` text: 32 KiB, the scheduler's limit. A callback's gas covers far less."""
_CHUNK_BYTES = 1 << 20


def make_result(files: TaskFiles, *, callback: bool, app_succeeded: bool) -> Result:
    """Build the archive and the digest of an app's output. Blocks; run it in a thread.

    Defects of the output raise nothing: the result then has no digest and carries the protocol's cause.
    """
    try:
        if app_succeeded:
            _add_output_streams(files)
        return _checked_result(files, callback=callback)
    except PostComputeFailed as failed:
        # The message may contain a file name that is not valid text.
        message = failed.message.encode("utf-8", errors="backslashreplace").decode()
        return Result(cause=failed.cause, message=message)
    except OSError as problem:
        cause = ReplicateStatusCause.POST_COMPUTE_FAILED_UNKNOWN_ISSUE
        return Result(cause=cause, message=f"the output cannot be read: {problem.strerror or problem}")
    except RecursionError:
        cause = ReplicateStatusCause.POST_COMPUTE_FAILED_UNKNOWN_ISSUE
        return Result(cause=cause, message="the output is nested too deeply")


def write_error_result(files: TaskFiles, status: ReplicateStatus, cause: ReplicateStatusCause) -> Result:
    """Build a result that names a failure, so that workers that fail alike reach consensus. Blocks; raises OSError.

    The text contains only the status and the cause, because it must be equal on every worker.
    """
    files.prepare_output()
    text = f"[IEXEC] Errors occurred while computing the task [error:{status.value}, causes:[{cause.value}]]"
    (files.iexec_out / ERROR_FILE).write_text(text, encoding="utf-8")
    computed = {"deterministic-output-path": f"/iexec_out/{ERROR_FILE}"}
    (files.iexec_out / COMPUTED_FILE).write_text(json.dumps(computed), encoding="utf-8")
    # A failed callback task has no callback data, so the digest is that of the error file.
    return _checked_result(files, callback=False)


def _checked_result(files: TaskFiles, *, callback: bool) -> Result:
    if not files.iexec_out.is_dir() or files.iexec_out.is_symlink():
        raise PostComputeFailed(
            ReplicateStatusCause.POST_COMPUTE_FAILED_UNKNOWN_ISSUE, "there is no output folder"
        )
    _check_names(files.iexec_out)
    try:
        write_archive(files.iexec_out, files.archive)
    except OSError as problem:
        cause = ReplicateStatusCause.POST_COMPUTE_OUT_FOLDER_ZIP_FAILED
        raise PostComputeFailed(cause, f"the output cannot be zipped: {problem}") from problem
    try:
        computed = read_computed(files.iexec_out)
        files.computed.write_text(json.dumps(computed), encoding="utf-8")
        digest = result_digest(files.iexec_out, computed, callback=callback)
    except ResultDigestError as problem:
        raise PostComputeFailed(problem.cause, str(problem)) from problem
    except OSError as problem:
        cause = ReplicateStatusCause.POST_COMPUTE_SEND_COMPUTED_FILE_FAILED
        raise PostComputeFailed(cause, f"computed.json cannot be copied: {problem}") from problem
    callback_data = _callback_data(computed.get("callback-data"), callback)
    if len(callback_data) > MAX_CALLBACK_CHARACTERS:
        cause = ReplicateStatusCause.POST_COMPUTE_RESULT_DIGEST_COMPUTATION_FAILED
        raise PostComputeFailed(cause, "callback-data is longer than 32 KiB")
    return Result(digest=to_hex(digest), callback_data=callback_data)


def _callback_data(value: object, callback: bool) -> str:
    """Return the hashed callback data in the form that the scheduler and the contract accept."""
    return to_hex(from_hex(value)) if callback and isinstance(value, str) else ""


def _check_names(folder: Path) -> None:
    for _, _, names in os.walk(folder):
        for name in names:
            if len(name) > MAX_FILE_NAME_CHARACTERS:
                raise PostComputeFailed(
                    ReplicateStatusCause.POST_COMPUTE_TOO_LONG_RESULT_FILE_NAME,
                    f"a result file name has {len(name)} characters; at most {MAX_FILE_NAME_CHARACTERS} are "
                    f"allowed: {name[:80]!r}",
                )


def _add_output_streams(files: TaskFiles) -> None:
    """Copy the output streams into the result. They replace files and links of the same name."""
    for source, name in ((files.stdout, "stdout.txt"), (files.stderr, "stderr.txt")):
        if not source.exists() or source.stat().st_size == 0:
            continue
        target = files.iexec_out / name
        if target.is_dir() and not target.is_symlink():
            continue
        target.unlink(missing_ok=True)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
        with os.fdopen(descriptor, "wb") as file, source.open("rb") as content:
            while chunk := content.read(_CHUNK_BYTES):
                file.write(chunk)
