"""Results: digest vectors of the protocol (worker spec A.8), file names, hostile output."""

import errno
import json
import zipfile
from pathlib import Path

import pytest
from workerpool_poco.protocol.statuses import ReplicateStatusCause
from workerpool_worker.adapters.files import post_compute
from workerpool_worker.adapters.files.post_compute import make_result
from workerpool_worker.adapters.files.workspace import DiskTaskFolder
from workerpool_worker.domain.record import Result
from workerpool_worker.errors import HostStorageUnavailable


@pytest.fixture
def folder(tmp_path: Path) -> DiskTaskFolder:
    made = DiskTaskFolder(tmp_path / "task")
    made.prepare_output()
    return made


def computed(folder: DiskTaskFolder, **content: str) -> None:
    (folder.iexec_out / "computed.json").write_text(json.dumps(content))


def result(folder: DiskTaskFolder, *, callback: bool = False) -> Result:
    return make_result(folder, callback=callback)


def test_the_digest_of_a_file_is_the_vector(folder: DiskTaskFolder) -> None:
    """Scenario 19: file."""
    text = (
        "Detected face in image1.jpg\nDetected face in image4.jpg\nDetected face in image5.jpg\nEnd compute"
    )
    (folder.iexec_out / "result.txt").write_text(text)
    computed(folder, **{"deterministic-output-path": "/iexec_out/result.txt"})
    assert result(folder).digest == "0x09b727883db89fa3b3504f83e0c67d04a0d4fc35a9670cc4517c49d2a27ad171"


def test_the_digest_of_a_folder_is_the_vector(folder: DiskTaskFolder) -> None:
    """Scenario 19: directory."""
    (folder.iexec_out / "computed.json").write_text('{\n  "deterministic-output-path": "/iexec_out"\n}')
    (folder.iexec_out / "result1.txt").write_text("A result")
    (folder.iexec_out / "result2.txt").write_text("Another result")
    assert result(folder).digest == "0xc6114778cc5c33db5fbbd4d0f9be116ed0232961045341714aba5a72d3ef7402"


def test_the_digest_of_a_callback_is_the_vector(folder: DiskTaskFolder) -> None:
    """Scenario 19: callback."""
    computed(folder, **{"callback-data": "0x" + "1".rjust(64, "0")})
    found = result(folder, callback=True)
    assert found.digest == "0xb10e2d527612073b26eecdfd717e6a320cf44b4afac2b0732d9fcbe2b7fa0cf6"
    assert found.callback_data == "0x" + "1".rjust(64, "0")


@pytest.mark.parametrize("spelling", ["12ab", "0X12AB", "0x12 ab", "12\nab "])
def test_callback_data_is_normalised(folder: DiskTaskFolder, spelling: str) -> None:
    computed(folder, **{"callback-data": spelling})
    assert result(folder, callback=True).callback_data == "0x12ab"


def test_a_digest_written_by_the_app_is_ignored(folder: DiskTaskFolder) -> None:
    (folder.iexec_out / "r").write_text("x")
    computed(folder, **{"deterministic-output-path": "/iexec_out/r", "result-digest": "0x" + "ff" * 32})
    assert result(folder).digest != "0x" + "ff" * 32


@pytest.mark.parametrize(
    ("content", "callback", "cause"),
    [
        (None, False, "POST_COMPUTE_COMPUTED_FILE_NOT_FOUND"),
        ("not json", False, "POST_COMPUTE_COMPUTED_FILE_NOT_FOUND"),
        ("[]", False, "POST_COMPUTE_COMPUTED_FILE_NOT_FOUND"),
        ("{}", False, "POST_COMPUTE_RESULT_DIGEST_COMPUTATION_FAILED"),
        (
            '{"deterministic-output-path": "/iexec_out/none"}',
            False,
            "POST_COMPUTE_RESULT_DIGEST_COMPUTATION_FAILED",
        ),
        (
            '{"deterministic-output-path": "/iexec_out/.."}',
            False,
            "POST_COMPUTE_RESULT_DIGEST_COMPUTATION_FAILED",
        ),
        (
            '{"deterministic-output-path": "/etc/passwd"}',
            False,
            "POST_COMPUTE_RESULT_DIGEST_COMPUTATION_FAILED",
        ),
        ("{}", True, "POST_COMPUTE_RESULT_DIGEST_COMPUTATION_FAILED"),
        ('{"callback-data": ""}', True, "POST_COMPUTE_RESULT_DIGEST_COMPUTATION_FAILED"),
        (
            '{"callback-data": "0x' + "00" * 40_000 + '"}',
            True,
            "POST_COMPUTE_RESULT_DIGEST_COMPUTATION_FAILED",
        ),
    ],
)
def test_output_without_a_digest_has_a_cause(
    folder: DiskTaskFolder, content: str | None, callback: bool, cause: str
) -> None:
    """Scenario 19: no computed.json, missing path, empty callback."""
    if content is not None:
        (folder.iexec_out / "computed.json").write_text(content)
    found = result(folder, callback=callback)
    assert (found.digest, found.cause) == ("", ReplicateStatusCause(cause))


def test_a_missing_output_folder_has_a_cause(folder: DiskTaskFolder) -> None:
    """Scenario 19: zip of a missing folder."""
    folder.iexec_out.rmdir()
    assert result(folder).cause is ReplicateStatusCause.POST_COMPUTE_OUT_FOLDER_ZIP_FAILED


def test_the_output_streams_are_part_of_the_archive_and_not_of_the_folder(folder: DiskTaskFolder) -> None:
    folder.stdout.write_text("said")
    folder.stderr.write_text("")
    (folder.iexec_out / "r").write_text("x")
    computed(folder, **{"deterministic-output-path": "/iexec_out/r"})
    result(folder)
    with zipfile.ZipFile(folder.archive) as archive:
        assert archive.namelist() == ["computed.json", "r", "stdout.txt"]
    assert not (folder.iexec_out / "stdout.txt").exists()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EMFILE])
def test_a_failing_disk_is_the_hosts_fault(
    folder: DiskTaskFolder, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, "planted")

    monkeypatch.setattr(post_compute, "build_result", fail)
    with pytest.raises(HostStorageUnavailable, match="planted"):
        result(folder)


def test_an_unreadable_file_is_a_defect_of_the_output(
    folder: DiskTaskFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENXIO, "No such device or address")

    monkeypatch.setattr(post_compute, "build_result", fail)
    found = result(folder)
    assert found.cause is ReplicateStatusCause.POST_COMPUTE_OUT_FOLDER_ZIP_FAILED
    assert found.message == "the output cannot be read: No such device or address"


def test_a_file_that_another_user_must_read_is_no_defect_of_the_output(
    folder: DiskTaskFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(post_compute, "build_result", fail)
    with pytest.raises(PermissionError):
        result(folder)


def test_the_check_cancels_post_compute(folder: DiskTaskFolder) -> None:
    class Aborted(Exception):
        pass

    def check() -> None:
        raise Aborted

    (folder.iexec_out / "r").write_text("x")
    computed(folder, **{"deterministic-output-path": "/iexec_out/r"})
    with pytest.raises(Aborted):
        make_result(folder, callback=False, check=check)
    assert sorted(path.name for path in folder.output.iterdir()) == ["iexec_out"]
