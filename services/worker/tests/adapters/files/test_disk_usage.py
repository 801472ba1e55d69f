"""Measurement of folders that apps write to."""

import os
from pathlib import Path

import pytest
from workerpool_worker.adapters.files.disk_usage import PathTooLong, disk_usage
from workerpool_worker.domain.containers.disk import DiskUsage

NO_LIMIT = DiskUsage(1 << 60, 1 << 60)
BLOCK = 4096


def write(path: Path, blocks: int) -> None:
    path.write_bytes(b"x" * BLOCK * blocks)


def size(folder: Path) -> int:
    return disk_usage(folder, NO_LIMIT).size_bytes


def test_files_and_folders_are_counted(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    before = size(tmp_path)
    write(tmp_path / "a" / "b" / "file", 10)
    assert size(tmp_path) - before >= 10 * BLOCK
    assert disk_usage(tmp_path, NO_LIMIT).files == 3


def test_a_sparse_file_counts_what_the_disk_holds(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 30)
    assert size(tmp_path) < 1 << 20


def test_links_count_once_and_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write(tmp_path / "outside", 100)
    write(tmp_path / "in" / "file", 10)
    before = size(tmp_path / "in")
    os.link(tmp_path / "in" / "file", tmp_path / "in" / "hard")
    (tmp_path / "in" / "soft").symlink_to(tmp_path / "outside")
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in")
    assert size(tmp_path / "in") - before < 10 * BLOCK
    assert disk_usage(tmp_path / "in", NO_LIMIT).files == 3


def test_counting_stops_at_the_limit(tmp_path: Path) -> None:
    for number in range(50):
        write(tmp_path / str(number), 1)
    assert disk_usage(tmp_path, DiskUsage(1 << 60, 10)).files == 10
    assert disk_usage(tmp_path, DiskUsage(5 * BLOCK, 1 << 60)).size_bytes < 50 * BLOCK


def test_folders_deeper_than_the_path_limit_are_reported(tmp_path: Path) -> None:
    before = os.getcwd()
    try:
        os.chdir(tmp_path)
        for _ in range(20):
            os.mkdir("d" * 250)
            os.chdir("d" * 250)
    finally:
        os.chdir(before)
    with pytest.raises(PathTooLong):
        disk_usage(tmp_path, NO_LIMIT)


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        disk_usage(tmp_path / "absent", NO_LIMIT)
