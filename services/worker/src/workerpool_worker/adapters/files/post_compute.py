"""Post-compute of a standard task: the archive and the digest of an output, or the cause why it has none."""

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from workerpool_poco.protocol.ids import to_hex
from workerpool_poco.protocol.result_archive.rules import DEFAULT_RULES, ArchiveRules
from workerpool_poco.protocol.results import ResultDigestError
from workerpool_poco.protocol.statuses import ReplicateStatusCause
from workerpool_poco.result_archive import AddedFile, Check, build_result

from workerpool_worker.adapters.files.task_files import TaskFiles
from workerpool_worker.domain.record import Result
from workerpool_worker.errors import HostStorageUnavailable

_HOST_ERRORS = frozenset(
    {
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EROFS,
        errno.EIO,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOMEM,
        errno.ESTALE,
    }
)


def no_check() -> None:
    """Never cancel."""


def make_result(
    files: TaskFiles, *, callback: bool, rules: ArchiveRules = DEFAULT_RULES, check: Check = no_check
) -> Result:
    """Build the archive and the digest of an app's output. Blocks; run it in a thread.

    Defects of the output raise nothing: the result then has no digest and carries a cause and a sentence. Raises
    `HostStorageUnavailable` when the host's disk fails, PermissionError when another user must read the output, and
    what `check` raises.
    """
    try:
        with host_errors():
            built = build_result(
                files.iexec_out,
                files.archive,
                callback=callback,
                added=_logs(files),
                rules=rules,
                check=check,
            )
    except ResultDigestError as problem:
        return Result(cause=problem.cause, message=str(problem))
    except PermissionError:
        # An app that runs as root may close its files to the worker's user. That is no defect.
        raise
    except OSError as problem:
        cause = ReplicateStatusCause.POST_COMPUTE_OUT_FOLDER_ZIP_FAILED
        return Result(cause=cause, message=f"the output cannot be read: {_sentence(problem)}")
    return Result(digest=to_hex(built.digest), callback_data=to_hex(built.callback) if callback else "")


def _logs(files: TaskFiles) -> Mapping[str, AddedFile]:
    """Return the output streams that belong into the archive, where they replace files of the same name."""
    streams: dict[str, Path] = {"stdout.txt": files.stdout, "stderr.txt": files.stderr}
    return {name: path for name, path in streams.items() if path.exists() and path.stat().st_size}


@contextmanager
def host_errors() -> Iterator[None]:
    """Raise `HostStorageUnavailable` for errors that no output causes."""
    try:
        yield
    except OSError as problem:
        if problem.errno in _HOST_ERRORS:
            raise HostStorageUnavailable(
                f"the result cannot be written on this host: {_sentence(problem)}"
            ) from problem
        raise


def _sentence(problem: OSError) -> str:
    """Return an error as text without surrogates, which no message may contain."""
    return str(problem.strerror or problem).encode(errors="backslashreplace").decode()
