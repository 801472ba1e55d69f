"""The hash that an upload declares."""

import hashlib
from pathlib import Path

from workerpool_worker.adapters.files.archive import file_sha256


def test_the_hash_and_size_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 3_000_000)
    assert file_sha256(path) == ("0x" + hashlib.sha256(b"x" * 3_000_000).hexdigest(), 3_000_000)
