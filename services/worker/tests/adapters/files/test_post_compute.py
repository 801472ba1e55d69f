"""Results: digest vectors of the protocol (worker spec A.8), file names, hostile output."""

import json
import os
import zipfile
from pathlib import Path

import pytest
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause
from workerpool_worker.adapters.files.post_compute import make_result, write_error_result
from workerpool_worker.adapters.files.workspace import DiskTaskFolder
from workerpool_worker.domain.record import Result


@pytest.fixture
def folder(tmp_path: Path) -> DiskTaskFolder:
    made = DiskTaskFolder(tmp_path / "task")
    made.prepare_output()
    return made


def computed(folder: DiskTaskFolder, **content: str) -> None:
    (folder.iexec_out / "computed.json").write_text(json.dumps(content))


def result(folder: DiskTaskFolder, *, callback: bool = False, succeeded: bool = True) -> Result:
    return make_result(folder, callback=callback, app_succeeded=succeeded)


def test_the_digest_of_a_file_is_the_vector(folder: DiskTaskFolder) -> None:
    text = (
        "Detected face in image1.jpg\nDetected face in image4.jpg\nDetected face in image5.jpg\nEnd compute"
    )
    (folder.iexec_out / "result.txt").write_text(text)
    computed(folder, **{"deterministic-output-path": "/iexec_out/result.txt"})
    assert result(folder).digest == "0x09b727883db89fa3b3504f83e0c67d04a0d4fc35a9670cc4517c49d2a27ad171"


def test_the_digest_of_a_folder_is_the_vector(folder: DiskTaskFolder) -> None:
    (folder.iexec_out / "computed.json").write_text('{\n  "deterministic-output-path": "/iexec_out"\n}')
    (folder.iexec_out / "result1.txt").write_text("A result")
    (folder.iexec_out / "result2.txt").write_text("Another result")
    assert result(folder).digest == "0xc6114778cc5c33db5fbbd4d0f9be116ed0232961045341714aba5a72d3ef7402"


def test_the_digest_of_a_callback_is_the_vector(folder: DiskTaskFolder) -> None:
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
    if content is not None:
        (folder.iexec_out / "computed.json").write_text(content)
    found = result(folder, callback=callback)
    assert (found.digest, found.cause) == ("", ReplicateStatusCause(cause))


@pytest.mark.parametrize(("length", "allowed"), [(31, True), (32, False)])
def test_file_names_have_at_most_31_characters(folder: DiskTaskFolder, length: int, allowed: bool) -> None:
    (folder.iexec_out / "deep").mkdir()
    (folder.iexec_out / "deep" / ("n" * length)).write_text("x")
    computed(folder, **{"deterministic-output-path": "/iexec_out/deep"})
    found = result(folder)
    assert bool(found.digest) is allowed
    if not allowed:
        assert found.cause is ReplicateStatusCause.POST_COMPUTE_TOO_LONG_RESULT_FILE_NAME


def test_a_missing_output_folder_has_a_cause(folder: DiskTaskFolder) -> None:
    folder.iexec_out.rmdir()
    assert result(folder).cause is ReplicateStatusCause.POST_COMPUTE_FAILED_UNKNOWN_ISSUE


@pytest.mark.parametrize(
    ("succeeded", "names"), [(True, ["computed.json", "r", "stdout.txt"]), (False, ["computed.json", "r"])]
)
def test_output_streams_are_added_to_the_result_of_a_successful_app(
    folder: DiskTaskFolder, succeeded: bool, names: list[str]
) -> None:
    folder.stdout.write_text("said")
    folder.stderr.write_text("")
    (folder.iexec_out / "r").write_text("x")
    computed(folder, **{"deterministic-output-path": "/iexec_out/r"})
    result(folder, succeeded=succeeded)
    with zipfile.ZipFile(folder.archive) as archive:
        assert sorted(archive.namelist()) == names


def test_a_link_in_place_of_stdout_is_replaced_and_not_followed(
    folder: DiskTaskFolder, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    folder.stdout.write_text("said")
    (folder.iexec_out / "stdout.txt").symlink_to(victim)
    computed(folder, **{"deterministic-output-path": "/iexec_out/computed.json"})
    result(folder)
    assert victim.read_text() == "untouched"
    assert (folder.iexec_out / "stdout.txt").read_text() == "said"


def test_a_link_out_of_the_folder_has_no_content_and_no_digest(
    folder: DiskTaskFolder, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("host secret")
    (folder.iexec_out / "leak").symlink_to(secret)
    (folder.iexec_out / "folder-leak").symlink_to(tmp_path)
    computed(folder, **{"deterministic-output-path": "/iexec_out/leak"})
    assert result(folder).cause is ReplicateStatusCause.POST_COMPUTE_RESULT_DIGEST_COMPUTATION_FAILED
    with zipfile.ZipFile(folder.archive) as archive:
        assert archive.read("leak") == archive.read("folder-leak") == b""
        assert len(archive.namelist()) == 3


def test_error_results_are_equal_on_every_worker(tmp_path: Path) -> None:
    digests = set()
    for name in ("one", "two"):
        made = write_error_result(
            DiskTaskFolder(tmp_path / name),
            ReplicateStatus.DATA_DOWNLOAD_FAILED,
            ReplicateStatusCause.DATASET_FILE_BAD_CHECKSUM,
        )
        digests.add(made.digest)
    assert len(digests) == 1
    assert all(digests)


def test_an_undecodable_name_is_escaped_in_the_message(folder: DiskTaskFolder) -> None:
    outside = folder.path / "outside"
    outside.write_text("x")
    os.symlink(outside, os.fsencode(folder.iexec_out) + b"/\xff")
    computed(folder, **{"deterministic-output-path": "/iexec_out"})
    found = result(folder)
    assert found.cause is ReplicateStatusCause.POST_COMPUTE_RESULT_DIGEST_COMPUTATION_FAILED
    assert found.message == r"\udcff is a symlink that leads out of /iexec_out"
