"""Removal of folders as apps leave them."""

import stat
from pathlib import Path

import pytest
from workerpool_worker.adapters.files.removal import remove_tree

from services.worker.tests.harness.folders import nest


def test_a_missing_folder_is_no_error(tmp_path: Path) -> None:
    remove_tree(tmp_path / "missing")


@pytest.mark.parametrize(("name", "levels"), [("d", 1_500), ("d" * 200, 1_500)])
def test_deeply_nested_folders_are_removed(tmp_path: Path, name: str, levels: int) -> None:
    folder = tmp_path / "task"
    folder.mkdir()
    nest(folder, name, levels)
    remove_tree(folder)
    assert list(tmp_path.iterdir()) == []


def test_inaccessible_folders_are_removed(tmp_path: Path) -> None:
    inner = tmp_path / "task" / "closed" / "inner"
    inner.mkdir(parents=True)
    (inner / "file").touch()
    inner.parent.chmod(stat.S_IRUSR)
    remove_tree(tmp_path / "task")
    assert list(tmp_path.iterdir()) == []


def test_links_are_removed_and_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").touch()
    folder = tmp_path / "task"
    folder.mkdir()
    (folder / "link").symlink_to(outside)
    remove_tree(folder)
    assert (outside / "file").exists()
