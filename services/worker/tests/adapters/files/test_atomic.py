"""Files that are written whole."""

from pathlib import Path

import pytest
from workerpool_worker.adapters.files.atomic import replace_text


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    for text in ("a long text", "short", ""):
        replace_text(tmp_path / "file", text)
        assert (tmp_path / "file").read_text() == text
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_write_that_fails_leaves_the_file_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        replace_text(tmp_path / "folder", "text")
    assert [each.name for each in tmp_path.iterdir()] == ["folder"]
    with pytest.raises(FileNotFoundError):
        replace_text(tmp_path / "none" / "file", "text")
