import hashlib
from pathlib import Path

import pytest
from eth_utils.crypto import keccak
from workerpool_poco.protocol import results
from workerpool_poco.protocol.ids import DealId, TaskId, task_id_of, to_hex, uint256
from workerpool_poco.protocol.statuses import ReplicateStatusCause

WORKER = "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf"
ONE, TWO = uint256(1), uint256(2)
TASK = TaskId(to_hex(ONE))


def computed(path: str) -> dict[str, str]:
    return {"deterministic-output-path": path}


def test_hash_and_seal_vectors() -> None:
    assert to_hex(results.result_hash(TASK, TWO)) == (
        "0xe90b7bceb6e7df5418fb78d8ee546e97c83a08bbccc01a0644d599ccd2a7c2e0"
    )
    assert to_hex(results.result_seal(WORKER, TASK, TWO)) == (
        "0xbd5b5d09270af9eec5300dee480acaf81665311f1f7495673ac32759ed6cc1d3"
    )
    task, digest = task_id_of(DealId("0x" + "aa" * 32), 3), keccak(b"result")
    assert to_hex(results.result_hash(task, digest)) == (
        "0x073a2a9350290ecaa6954d1a086b7ed9d7531d4f3d91a990706805c64d836440"
    )
    assert to_hex(results.result_seal("0x" + "22" * 20, task, digest)) == (
        "0x51e8a30e70d132f61035993f57e6bfa5ae5d8364c249b831a4c191e567d172b2"
    )


def test_a_file_counts_as_its_sha256(tmp_path: Path) -> None:
    text = (
        "Detected face in image1.jpg\nDetected face in image4.jpg\nDetected face in image5.jpg\nEnd compute"
    )
    (tmp_path / "computed.txt").write_text(text)
    digest = results.result_digest(tmp_path, computed("/iexec_out/computed.txt"))
    assert to_hex(digest) == "0x09b727883db89fa3b3504f83e0c67d04a0d4fc35a9670cc4517c49d2a27ad171"


def test_the_whole_output_folder_includes_computed_json(tmp_path: Path) -> None:
    (tmp_path / "computed.json").write_text('{\n  "deterministic-output-path": "/iexec_out"\n}')
    (tmp_path / "result1.txt").write_text("A result")
    (tmp_path / "result2.txt").write_text("Another result")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "ignored.txt").write_text("sub-folders add nothing")
    digest = results.result_digest(tmp_path, results.read_computed(tmp_path))
    assert to_hex(digest) == "0xc6114778cc5c33db5fbbd4d0f9be116ed0232961045341714aba5a72d3ef7402"


def test_a_callback_counts_as_its_keccak(tmp_path: Path) -> None:
    content = {"callback-data": to_hex(ONE)}
    digest = results.result_digest(tmp_path, content, callback=True)
    assert to_hex(digest) == "0xb10e2d527612073b26eecdfd717e6a320cf44b4afac2b0732d9fcbe2b7fa0cf6"


def test_an_application_cannot_state_its_own_digest(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    content = computed("/iexec_out/a.txt") | {"result-digest": to_hex(ONE)}
    assert results.result_digest(tmp_path, content) == hashlib.sha256(b"a").digest()


@pytest.mark.parametrize(
    "path",
    ["", "a.txt", "/etc/passwd", "/iexec_output/a.txt", "/iexec_out/../a.txt", "/iexec_out/../../x", 5, None],
)
def test_a_path_outside_iexec_out_is_refused(tmp_path: Path, path: object) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (tmp_path / "a.txt").write_text("secret of the host")
    with pytest.raises(results.OutputPathInvalid) as caught:
        results.result_digest(out, {"deterministic-output-path": path})
    cause = ReplicateStatusCause.POST_COMPUTE_RESULT_DIGEST_COMPUTATION_FAILED
    assert caught.value.cause is cause


def test_links_that_lead_out_are_refused(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "folder").mkdir(parents=True)
    (tmp_path / "secret").write_text("secret of the host")
    (out / "link").symlink_to(tmp_path / "secret")
    (out / "folder" / "link").symlink_to(tmp_path / "secret")
    (out / "loop").symlink_to(out / "loop")
    for path in ("/iexec_out/link", "/iexec_out/folder", "/iexec_out/loop"):
        with pytest.raises(results.ResultDigestError):
            results.result_digest(out, computed(path))


def test_a_link_inside_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("x")
    (tmp_path / "link").symlink_to("real")
    assert results.result_digest(tmp_path, computed("/iexec_out/link")) == hashlib.sha256(b"x").digest()


def test_nothing_and_an_empty_folder_have_no_digest(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(results.OutputPathNotFound):
        results.result_digest(tmp_path, computed("/iexec_out/missing"))
    with pytest.raises(results.EmptyOutput):
        results.result_digest(tmp_path, computed("/iexec_out/empty"))


@pytest.mark.parametrize("data", [None, "", "0x", "hello", 5])
def test_a_callback_task_needs_callback_data(tmp_path: Path, data: object) -> None:
    with pytest.raises(results.CallbackDataMissing):
        results.result_digest(tmp_path, {"callback-data": data}, callback=True)


@pytest.mark.parametrize("content", [None, "", "not json", "[1]", "\ufffd"])
def test_a_missing_or_broken_computed_json_has_its_own_cause(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "computed.json").write_text(content)
    with pytest.raises(results.ComputedFileNotFound) as caught:
        results.read_computed(tmp_path)
    assert caught.value.cause is ReplicateStatusCause.POST_COMPUTE_COMPUTED_FILE_NOT_FOUND


def test_computed_json_must_not_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("{}")
    (tmp_path / "computed.json").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(results.ComputedFileNotFound):
        results.read_computed(tmp_path)


def test_result_link_goes_there_and_back() -> None:
    link = results.ResultLink("ipfs", "/ipfs/QmX")
    assert link.encode() == '{"storage":"ipfs","location":"/ipfs/QmX"}'
    assert results.ResultLink.decode(link.to_bytes()) == link


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "5", '{"storage":"ipfs"}', '{"storage":1,"location":2}', b"\xff"]
)
def test_a_malformed_result_link_is_refused(text: str | bytes) -> None:
    with pytest.raises(results.InvalidResultLink):
        results.ResultLink.decode(text)
