"""From what an app left to a result: names, archive, computed.json, digest (worker spec A.8, in its order)."""

import json
import os
from pathlib import Path

from workerpool_poco.protocol.ids import from_hex, to_hex
from workerpool_poco.protocol.results import COMPUTED_FILE, ResultDigestError, read_computed, result_digest
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause

from workerpool_worker.adapters.files.archive import write_archive
from workerpool_worker.adapters.files.workspace import TaskFolder
from workerpool_worker.domain.record import Result
from workerpool_worker.errors import PostComputeFailed

LONGEST_FILE_NAME = 31
ERROR_FILE = "error.txt"
LONGEST_CALLBACK_CHARACTERS = 65_538
"""Callback data as ``0x…``: 32 KiB, the most the scheduler takes, and far more than a callback's gas can carry."""


def make_result(folder: TaskFolder, *, callback: bool, app_succeeded: bool) -> Result:
    """Turn the output folder into an archive and a digest.

    Blocks: use a thread. Never raises for what an app can do: a result without digest carries the protocol's cause.
    """
    try:
        if app_succeeded:
            _keep_output(folder)
        return _checked(folder, callback=callback)
    except PostComputeFailed as failed:
        # It may name a file, and names of files need not be text.
        message = failed.message.encode("utf-8", errors="backslashreplace").decode()
        return Result(cause=failed.cause, message=message)
    except OSError as problem:
        cause = ReplicateStatusCause.POST_COMPUTE_FAILED_UNKNOWN_ISSUE
        return Result(cause=cause, message=f"the output cannot be read: {problem.strerror or problem}")
    except RecursionError:
        cause = ReplicateStatusCause.POST_COMPUTE_FAILED_UNKNOWN_ISSUE
        return Result(cause=cause, message="the output is nested too deeply")


def write_error_result(folder: TaskFolder, status: ReplicateStatus, cause: ReplicateStatusCause) -> Result:
    """Make a result that says what went wrong, so that workers which fail alike can agree on the failure.

    The text holds nothing but the status and the cause: it must be equal on every worker. Blocks: use a thread.
    """
    folder.prepare_output()
    text = f"[IEXEC] Errors occurred while computing the task [error:{status.value}, causes:[{cause.value}]]"
    (folder.iexec_out / ERROR_FILE).write_text(text, encoding="utf-8")
    computed = {"deterministic-output-path": f"/iexec_out/{ERROR_FILE}"}
    (folder.iexec_out / COMPUTED_FILE).write_text(json.dumps(computed), encoding="utf-8")
    # A callback task has nothing to call back with, so this yields no digest for it.
    return _checked(folder, callback=False)


def _checked(folder: TaskFolder, *, callback: bool) -> Result:
    if not folder.iexec_out.is_dir() or folder.iexec_out.is_symlink():
        raise PostComputeFailed(
            ReplicateStatusCause.POST_COMPUTE_FAILED_UNKNOWN_ISSUE, "there is no output folder"
        )
    _check_names(folder.iexec_out)
    try:
        write_archive(folder.iexec_out, folder.archive)
    except OSError as problem:
        cause = ReplicateStatusCause.POST_COMPUTE_OUT_FOLDER_ZIP_FAILED
        raise PostComputeFailed(cause, f"the output cannot be zipped: {problem}") from problem
    try:
        computed = read_computed(folder.iexec_out)
        folder.computed.write_text(json.dumps(computed), encoding="utf-8")
        digest = result_digest(folder.iexec_out, computed, callback=callback)
    except ResultDigestError as problem:
        raise PostComputeFailed(problem.cause, str(problem)) from problem
    except OSError as problem:
        cause = ReplicateStatusCause.POST_COMPUTE_SEND_COMPUTED_FILE_FAILED
        raise PostComputeFailed(cause, f"computed.json cannot be kept: {problem}") from problem
    callback_data = _callback_data(computed.get("callback-data"), callback)
    if len(callback_data) > LONGEST_CALLBACK_CHARACTERS:
        cause = ReplicateStatusCause.POST_COMPUTE_RESULT_DIGEST_COMPUTATION_FAILED
        raise PostComputeFailed(cause, "callback-data is longer than 32 KiB")
    return Result(digest=to_hex(digest), callback_data=callback_data)


def _callback_data(value: object, callback: bool) -> str:
    """Return the bytes that were hashed, spelled as the scheduler and the contract take them."""
    return to_hex(from_hex(value)) if callback and isinstance(value, str) else ""


def _check_names(folder: Path) -> None:
    for _, _, names in os.walk(folder):
        for name in names:
            if len(name) > LONGEST_FILE_NAME:
                raise PostComputeFailed(
                    ReplicateStatusCause.POST_COMPUTE_TOO_LONG_RESULT_FILE_NAME,
                    f"a result file's name has {len(name)} characters; {LONGEST_FILE_NAME} are allowed: {name[:80]!r}",
                )


def _keep_output(folder: TaskFolder) -> None:
    """Put the app's output streams into the result; an entry of that name, be it a link, makes way."""
    for source, name in ((folder.stdout, "stdout.txt"), (folder.stderr, "stderr.txt")):
        if not source.exists() or source.stat().st_size == 0:
            continue
        target = folder.iexec_out / name
        if target.is_dir() and not target.is_symlink():
            continue
        target.unlink(missing_ok=True)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
        with os.fdopen(descriptor, "wb") as file, source.open("rb") as content:
            while chunk := content.read(1 << 20):
                file.write(chunk)
