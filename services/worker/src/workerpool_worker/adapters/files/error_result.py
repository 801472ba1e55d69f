"""The archive of an error result: what failed, and the output streams of the app."""

import json
import os
from pathlib import Path

from workerpool_poco.protocol.ids import to_hex
from workerpool_poco.protocol.result_archive.rules import DEFAULT_RULES
from workerpool_poco.protocol.results import (
    COMPUTED_FILE,
    ERROR_DIGEST_FILE,
    ERROR_FILE,
    IEXEC_OUT,
    error_digest,
    error_result,
)
from workerpool_poco.result_archive import build_archive

from workerpool_worker.adapters.files.post_compute import host_errors, no_check
from workerpool_worker.adapters.files.task_files import TaskFiles
from workerpool_worker.domain.failures.error_report import ErrorReport
from workerpool_worker.domain.record import Result

_LOG_BYTES = 1 << 20
"""End of each output stream in the archive. It keeps the archive within the rules of any proxy."""


def make_error_result(files: TaskFiles, report: ErrorReport, *, callback: bool) -> Result:
    """Build the archive of an error result in place of the app's output. Blocks; raises `HostStorageUnavailable`.

    The archive holds nothing that the app wrote to `/iexec_out`, but its output streams.
    """
    computed = {"deterministic-output-path": f"{IEXEC_OUT}/{ERROR_DIGEST_FILE}"}
    content = {
        COMPUTED_FILE: json.dumps(computed).encode(),
        ERROR_DIGEST_FILE: error_result(report.status, report.cause, report.exit_code),
        ERROR_FILE: report.text().encode("utf-8", errors="backslashreplace"),
    }
    for name, stream in (("stdout.txt", files.stdout), ("stderr.txt", files.stderr)):
        if end := _end_of(stream):
            content[name] = end
    with host_errors():
        files.output.mkdir(parents=True, exist_ok=True)
        build_archive(files.archive, content, rules=DEFAULT_RULES, check=no_check)
    digest = error_digest(report.status, report.cause, report.exit_code, callback=callback)
    return Result(digest=to_hex(digest), cause=report.cause, message=report.message)


def _end_of(stream: Path) -> bytes:
    if not stream.exists():
        return b""
    with stream.open("rb") as file:
        file.seek(max(file.seek(0, os.SEEK_END) - _LOG_BYTES, 0))
        return file.read(_LOG_BYTES)
