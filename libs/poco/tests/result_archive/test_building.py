"""The digest and the archive of a folder come from one read of each file."""

import hashlib
import json
import os
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from typing import Any

import pytest
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st
from workerpool_poco.protocol.ids import to_hex, uint256
from workerpool_poco.protocol.result_archive.rules import DEFAULT_RULES, RuleBroken
from workerpool_poco.protocol.results import ResultDigestError
from workerpool_poco.result_archive.building import (
    AddedFile,
    BuiltResult,
    build_archive,
    build_result,
    folder_result_digest,
)
from workerpool_poco.result_archive.output_folder import Check, OutputFolder


def no_check() -> None:
    """Never cancel."""


class Output:
    """An output folder and its archive."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.archive = folder / "iexec_out", folder / "iexec_out.zip"
        self.folder.mkdir()

    def computed(self, path: str) -> None:
        (self.folder / "computed.json").write_text(json.dumps({"deterministic-output-path": path}))

    def build(
        self, *, callback: bool = False, check: Check = no_check, added: dict[str, AddedFile] | None = None
    ) -> BuiltResult:
        return build_result(
            self.folder, self.archive, callback=callback, added=added or {}, rules=DEFAULT_RULES, check=check
        )

    def content(self) -> dict[str, bytes]:
        with zipfile.ZipFile(self.archive) as archive:
            return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def output(tmp_path: Path) -> Output:
    return Output(tmp_path)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count the opens of each file of an output folder."""
    counts: Counter[str] = Counter()
    original: Callable[..., FileIO] = OutputFolder.open

    def open_counted(self: OutputFolder, path: tuple[str, ...]) -> FileIO:
        counts["/".join(path)] += 1
        return original(self, path)

    monkeypatch.setattr(OutputFolder, "open", open_counted)
    return counts


def test_a_file_counts_as_its_sha256(output: Output) -> None:
    text = (
        "Detected face in image1.jpg\nDetected face in image4.jpg\nDetected face in image5.jpg\nEnd compute"
    )
    (output.folder / "computed.txt").write_text(text)
    output.computed("/iexec_out/computed.txt")
    digest = output.build().digest
    assert to_hex(digest) == "0x09b727883db89fa3b3504f83e0c67d04a0d4fc35a9670cc4517c49d2a27ad171"
    assert folder_result_digest(output.folder) == digest


def test_the_whole_output_folder_includes_computed_json(output: Output) -> None:
    (output.folder / "computed.json").write_text('{\n  "deterministic-output-path": "/iexec_out"\n}')
    (output.folder / "result1.txt").write_text("A result")
    (output.folder / "result2.txt").write_text("Another result")
    (output.folder / "folder").mkdir()
    (output.folder / "folder" / "ignored.txt").write_text("sub-folders add nothing")
    digest = output.build().digest
    assert to_hex(digest) == "0xc6114778cc5c33db5fbbd4d0f9be116ed0232961045341714aba5a72d3ef7402"
    assert folder_result_digest(output.folder) == digest


def test_a_callback_counts_as_its_keccak(output: Output) -> None:
    (output.folder / "computed.json").write_text(json.dumps({"callback-data": to_hex(uint256(1))}))
    os.mkfifo(output.folder / "fifo that no archive holds")
    built = output.build(callback=True, added={"stdout.txt": b"said"})
    assert to_hex(built.digest) == "0xb10e2d527612073b26eecdfd717e6a320cf44b4afac2b0732d9fcbe2b7fa0cf6"
    assert built.callback == uint256(1)
    assert list(output.content()) == ["computed.json", "stdout.txt"]


def test_archive_link_inside(output: Output, opened: Counter[str]) -> None:
    (output.folder / "out").mkdir()
    (output.folder / "out" / "result.txt").write_text("hi\n")
    (output.folder / "out" / "latest").symlink_to("result.txt")
    output.computed("/iexec_out/out")
    each = hashlib.sha256(b"hi\n").digest()
    assert output.build().digest == keccak(each + each)
    assert opened == {"computed.json": 1, "out/result.txt": 1}
    assert output.content()["out/latest"] == output.content()["out/result.txt"] == b"hi\n"


@pytest.mark.parametrize("target", ["a", "./a", "/iexec_out/a", "../iexec_out/a", "c"])
def test_archive_path_is_link(output: Output, opened: Counter[str], target: str) -> None:
    (output.folder / "a").write_text("hi\n")
    (output.folder / "b").symlink_to(target)
    (output.folder / "c").symlink_to("/iexec_out/a")
    output.computed("/iexec_out/b")
    assert output.build().digest == hashlib.sha256(b"hi\n").digest()
    assert opened["a"] == 1
    assert output.content()["b"] == b"hi\n"


def test_a_link_to_a_folder_is_archived_with_its_content(output: Output, opened: Counter[str]) -> None:
    (output.folder / "run-1").mkdir()
    (output.folder / "run-1" / "r").write_text("r")
    (output.folder / "latest").symlink_to("run-1")
    output.computed("/iexec_out/latest/r")
    assert output.build().digest == hashlib.sha256(b"r").digest()
    assert list(output.content()) == ["computed.json", "latest/", "latest/r", "run-1/", "run-1/r"]
    assert opened["run-1/r"] == 1


@pytest.mark.parametrize(
    "target", ["/etc", "/etc/passwd", "../../secret", "/proc/self/root", "nothing", "self"]
)
def test_archive_link_out(output: Output, opened: Counter[str], target: str) -> None:
    (output.folder.parent / "secret").write_text("host secret")
    (output.folder / "o").mkdir()
    (output.folder / "o" / "r").write_text("x")
    (output.folder / "o" / "self").symlink_to(target)
    output.computed("/iexec_out/o/r")
    with pytest.raises(RuleBroken, match="the link 'o/self' is not allowed"):
        output.build()
    assert not opened, "no file was read"
    assert not output.archive.exists()


def test_computed_json_may_be_a_link_inside(output: Output) -> None:
    (output.folder / "real.json").write_text('{"deterministic-output-path": "/iexec_out/real.json"}')
    (output.folder / "computed.json").symlink_to("real.json")
    digest = output.build().digest
    assert digest == hashlib.sha256((output.folder / "real.json").read_bytes()).digest()
    assert output.content()["computed.json"] == output.content()["real.json"]


def test_added_files_replace_files_and_links_of_the_same_name(output: Output) -> None:
    log = output.folder.parent / "log"
    log.write_text("said")
    (output.folder.parent / "victim").write_text("untouched")
    (output.folder / "stdout.txt").symlink_to("../victim")
    (output.folder / "link").symlink_to("stdout.txt")
    output.computed("/iexec_out/link")
    assert output.build(added={"stdout.txt": log}).digest == hashlib.sha256(b"said").digest()
    assert (output.folder.parent / "victim").read_text() == "untouched"
    assert output.content()["link"] == output.content()["stdout.txt"] == b"said"


def test_an_added_file_does_not_replace_a_folder(output: Output) -> None:
    (output.folder / "stdout.txt").mkdir()
    (output.folder / "r").write_text("x")
    output.computed("/iexec_out/r")
    output.build(added={"stdout.txt": b"said"})
    assert list(output.content()) == ["computed.json", "r", "stdout.txt/"]


def test_a_sparse_file_is_refused_by_its_size(output: Output, opened: Counter[str]) -> None:
    with (output.folder / "sparse").open("wb") as file:
        file.truncate(5 << 30)
    output.computed("/iexec_out/sparse")
    with pytest.raises(RuleBroken, match=r"5368709\d+ bytes \(\d+ on disk\)"):
        output.build()
    assert not opened, "no file was read"


@pytest.mark.parametrize("after", [0, 1, 5, 9])
def test_cancelling_leaves_no_archive(output: Output, after: int) -> None:
    class Cancelled(Exception):
        pass

    remaining = [after]

    def check() -> None:
        remaining[0] -= 1
        if remaining[0] < 0:
            raise Cancelled

    (output.folder / "big").write_bytes(os.urandom(8 << 20))
    output.computed("/iexec_out/big")
    with pytest.raises(Cancelled):
        output.build(check=check)
    assert [path.name for path in output.folder.parent.iterdir()] == ["iexec_out"]


def test_an_archive_of_given_files_only(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("said")
    build_archive(tmp_path / "a.zip", {"b": b"", "a": log}, rules=DEFAULT_RULES, check=no_check)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {"a": b"said", "b": b""}


@given(st.dictionaries(st.text("abc", min_size=1, max_size=5), st.binary(max_size=50), max_size=6))
def test_equal_output_gives_equal_archives(files: dict[str, bytes]) -> None:
    built: set[Any] = set()
    for order in (list(files), list(reversed(files))):
        with tempfile.TemporaryDirectory() as name:
            output = Output(Path(name))
            output.computed("/iexec_out")
            for file in order:
                (output.folder / file).write_bytes(files[file])
            built.add((output.build().digest, output.archive.read_bytes()))
    assert len(built) == 1


@pytest.mark.parametrize("path", ["/etc/passwd", "/iexec_out/../secret", "/iexec_out/none"])
def test_an_unpacked_result_without_a_digest_is_an_error(output: Output, path: str) -> None:
    output.computed(path)
    with pytest.raises(ResultDigestError):
        folder_result_digest(output.folder)
