"""The archive of an error result: equal digests, the app's streams, nothing of the app's output."""

import zipfile
from pathlib import Path

import pytest
from workerpool_poco.protocol.ids import to_hex
from workerpool_poco.protocol.results import callback_digest
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause
from workerpool_poco.result_archive import folder_result_digest
from workerpool_worker.adapters.files.error_result import make_error_result
from workerpool_worker.adapters.files.workspace import DiskTaskFolder
from workerpool_worker.domain.failures.error_report import ErrorReport


def report(
    message: str = "the app ended with exit code 3", *limits: str, exit_code: int | None = 3
) -> ErrorReport:
    return ErrorReport(
        ReplicateStatus.COMPUTED, ReplicateStatusCause.APP_COMPUTE_FAILED, message, exit_code, limits
    )


def folder(path: Path, *, stdout: bytes = b"", stderr: bytes = b"") -> DiskTaskFolder:
    made = DiskTaskFolder(path)
    made.prepare_output()
    made.stdout.write_bytes(stdout)
    made.stderr.write_bytes(stderr)
    return made


def unpacked(made: DiskTaskFolder, target: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(made.archive) as archive:
        archive.extractall(target)
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_digest_is_equal_on_hosts_with_other_limits_and_logs(tmp_path: Path) -> None:
    one = make_error_result(
        folder(tmp_path / "1", stdout=b"one"), report("out of memory, limit 10 MiB"), callback=False
    )
    two = make_error_result(folder(tmp_path / "2"), report("other words", "20 MiB of memory"), callback=False)
    assert one.digest == two.digest
    assert one.digest != make_error_result(folder(tmp_path / "3"), report(exit_code=4), callback=False).digest


def test_the_digest_follows_the_ordinary_rule_of_results(tmp_path: Path) -> None:
    made = folder(tmp_path / "task", stdout=b"said")
    result = make_error_result(made, report(), callback=False)
    unpacked(made, tmp_path / "archive")
    assert to_hex(folder_result_digest(tmp_path / "archive")) == result.digest


def test_the_archive_holds_the_report_and_the_streams_and_nothing_of_the_output(tmp_path: Path) -> None:
    made = folder(tmp_path / "task", stdout=b"said", stderr=b"warned")
    (made.iexec_out / "r").write_text("half a result")
    (made.iexec_out / "computed.json").write_text("{}")
    make_error_result(made, report("the app ended with exit code 3", "60 s of run time"), callback=False)
    files = unpacked(made, tmp_path / "archive")
    assert set(files) == {"computed.json", "error.json", "error.txt", "stdout.txt", "stderr.txt"}
    assert (files["stdout.txt"], files["stderr.txt"]) == (b"said", b"warned")
    assert files["error.txt"].decode().splitlines() == [
        "[IEXEC] Errors occurred while computing the task [error:COMPUTED, causes:[APP_COMPUTE_FAILED]]",
        "status: COMPUTED",
        "cause: APP_COMPUTE_FAILED",
        "exit code: 3",
        "message: the app ended with exit code 3",
        "limit: 60 s of run time",
    ]


def test_only_the_end_of_a_long_stream_is_kept(tmp_path: Path) -> None:
    made = folder(tmp_path / "task", stdout=b"a" * (3 << 20) + b"end")
    make_error_result(made, report(), callback=False)
    stdout = unpacked(made, tmp_path / "archive")["stdout.txt"]
    assert len(stdout) == 1 << 20
    assert stdout.endswith(b"end")


def test_callback_failure_has_the_digest_of_no_bytes(tmp_path: Path) -> None:
    result = make_error_result(folder(tmp_path / "task"), report(), callback=True)
    assert result.digest == to_hex(callback_digest(b""))
    assert result.callback_data == ""


@pytest.mark.parametrize("message", ["lone surrogate \udcff", "line\nbreak", "x" * 10_000])
def test_any_message_can_be_written(tmp_path: Path, message: str) -> None:
    made = folder(tmp_path / "task")
    assert make_error_result(made, report(message), callback=False).digest
