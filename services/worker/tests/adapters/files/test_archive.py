"""The result archive: deterministic, without content from outside, tolerant of odd entries."""

import hashlib
import os
import tempfile
import zipfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from workerpool_worker.adapters.files.archive import file_sha256, write_archive


def test_the_hash_and_size_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 3_000_000)
    assert file_sha256(path) == ("0x" + hashlib.sha256(b"x" * 3_000_000).hexdigest(), 3_000_000)


def test_pipes_are_omitted_and_odd_names_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    os.mkfifo(folder / "pipe")
    (folder / "line\nbreak").write_text("1")
    (folder / os.fsdecode(b"bad\xff")).write_text("2")
    write_archive(folder, tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert sorted(archive.namelist()) == ["bad\ufffd", "line\nbreak"]
    assert not (tmp_path / "out.part").exists()


@given(st.dictionaries(st.text("abc", min_size=1, max_size=5), st.binary(max_size=50), max_size=6))
def test_equal_output_gives_equal_archives(files: dict[str, bytes]) -> None:
    hashes = set()
    for order in (list(files), list(reversed(files))):
        with tempfile.TemporaryDirectory() as name:
            root = Path(name) / "out"
            root.mkdir()
            for file in order:
                (root / file).write_bytes(files[file])
            write_archive(root, Path(name) / "out.zip")
            hashes.add(file_sha256(Path(name) / "out.zip"))
    assert len(hashes) == 1
