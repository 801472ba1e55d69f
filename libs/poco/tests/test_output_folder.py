"""Digests of output folders, with the vectors of the worker's specification."""

import hashlib
from pathlib import Path

import pytest
from workerpool_poco.output_folder import read_computed, result_digest
from workerpool_poco.protocol.ids import to_hex, uint256
from workerpool_poco.protocol.results import (
    CallbackDataMissing,
    ComputedFileNotFound,
    EmptyOutput,
    OutputPathInvalid,
    OutputPathNotFound,
    ResultDigestError,
)
from workerpool_poco.protocol.statuses import ReplicateStatusCause

ONE = uint256(1)


def computed(path: str) -> dict[str, str]:
    return {"deterministic-output-path": path}


def test_a_file_counts_as_its_sha256(tmp_path: Path) -> None:
    text = (
        "Detected face in image1.jpg\nDetected face in image4.jpg\nDetected face in image5.jpg\nEnd compute"
    )
    (tmp_path / "computed.txt").write_text(text)
    digest = result_digest(tmp_path, computed("/iexec_out/computed.txt"))
    assert to_hex(digest) == "0x09b727883db89fa3b3504f83e0c67d04a0d4fc35a9670cc4517c49d2a27ad171"


def test_the_whole_output_folder_includes_computed_json(tmp_path: Path) -> None:
    (tmp_path / "computed.json").write_text('{\n  "deterministic-output-path": "/iexec_out"\n}')
    (tmp_path / "result1.txt").write_text("A result")
    (tmp_path / "result2.txt").write_text("Another result")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "ignored.txt").write_text("sub-folders add nothing")
    digest = result_digest(tmp_path, read_computed(tmp_path))
    assert to_hex(digest) == "0xc6114778cc5c33db5fbbd4d0f9be116ed0232961045341714aba5a72d3ef7402"


def test_a_callback_counts_as_its_keccak(tmp_path: Path) -> None:
    content = {"callback-data": to_hex(ONE)}
    digest = result_digest(tmp_path, content, callback=True)
    assert to_hex(digest) == "0xb10e2d527612073b26eecdfd717e6a320cf44b4afac2b0732d9fcbe2b7fa0cf6"


def test_an_application_cannot_state_its_own_digest(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    content = computed("/iexec_out/a.txt") | {"result-digest": to_hex(ONE)}
    assert result_digest(tmp_path, content) == hashlib.sha256(b"a").digest()


@pytest.mark.parametrize(
    "path",
    ["", "a.txt", "/etc/passwd", "/iexec_output/a.txt", "/iexec_out/../a.txt", "/iexec_out/../../x", 5, None],
)
def test_a_path_outside_iexec_out_is_refused(tmp_path: Path, path: object) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (tmp_path / "a.txt").write_text("secret of the host")
    with pytest.raises(OutputPathInvalid) as caught:
        result_digest(out, {"deterministic-output-path": path})
    cause = ReplicateStatusCause.POST_COMPUTE_RESULT_DIGEST_COMPUTATION_FAILED
    assert caught.value.cause is cause


def test_symlinks_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "folder").mkdir(parents=True)
    (tmp_path / "secret").write_text("secret of the host")
    (out / "link").symlink_to(tmp_path / "secret")
    (out / "folder" / "link").symlink_to(tmp_path / "secret")
    (out / "loop").symlink_to(out / "loop")
    for path in ("/iexec_out/link", "/iexec_out/folder", "/iexec_out/loop"):
        with pytest.raises(ResultDigestError):
            result_digest(out, computed(path))


def test_a_symlink_inside_the_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("x")
    (tmp_path / "link").symlink_to("real")
    assert result_digest(tmp_path, computed("/iexec_out/link")) == hashlib.sha256(b"x").digest()


def test_a_missing_path_and_an_empty_folder_have_no_digest(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(OutputPathNotFound):
        result_digest(tmp_path, computed("/iexec_out/missing"))
    with pytest.raises(EmptyOutput):
        result_digest(tmp_path, computed("/iexec_out/empty"))


@pytest.mark.parametrize("data", [None, "", "0x", "hello", 5])
def test_a_callback_task_needs_callback_data(tmp_path: Path, data: object) -> None:
    with pytest.raises(CallbackDataMissing):
        result_digest(tmp_path, {"callback-data": data}, callback=True)


@pytest.mark.parametrize("content", [None, "", "not json", "[1]", "\ufffd"])
def test_a_missing_or_malformed_computed_json_has_its_own_cause(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "computed.json").write_text(content)
    with pytest.raises(ComputedFileNotFound) as caught:
        read_computed(tmp_path)
    assert caught.value.cause is ReplicateStatusCause.POST_COMPUTE_COMPUTED_FILE_NOT_FOUND


def test_computed_json_must_not_be_a_symlink(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("{}")
    (tmp_path / "computed.json").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ComputedFileNotFound):
        read_computed(tmp_path)
