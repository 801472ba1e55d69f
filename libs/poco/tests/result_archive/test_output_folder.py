"""An output folder is scanned without being left, and without opening a file."""

import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from workerpool_poco.protocol.result_archive.rules import DEFAULT_RULES, Rule, RuleBroken
from workerpool_poco.protocol.result_archive.tree import FileNode, FolderNode, LinkNode, SpecialNode, node_at
from workerpool_poco.result_archive.output_folder import OutputFolder


class Cancelled(Exception):
    """The test's cancellation."""


def scanned(path: Path) -> FolderNode:
    with OutputFolder(path) as output:
        return output.scan(DEFAULT_RULES, lambda: None)


def descriptors_below(folder: Path) -> set[str]:
    """Return the open descriptors of this process below a folder, or with a path too long to tell."""
    found = set()
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except FileNotFoundError:
            continue
        except OSError:
            target = str(folder)
        if target.startswith(str(folder)):
            found.add(name)
    return found


def test_every_kind_is_distinguished(tmp_path: Path) -> None:
    (tmp_path / "d" / "e").mkdir(parents=True)
    (tmp_path / "d" / "f").write_bytes(b"abc")
    (tmp_path / "link").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
    (tmp_path / os.fsdecode(b"bad\xff")).touch()
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(5 << 30)
    root = scanned(tmp_path)
    assert node_at(root, ("d", "e")) == FolderNode()
    file_node = node_at(root, ("d", "f"))
    assert isinstance(file_node, FileNode)
    assert file_node.size == 3
    assert root.children["link"] == LinkNode("/etc/passwd")
    assert root.children["fifo"] == SpecialNode("fifo")
    assert root.children["socket"] == SpecialNode("socket")
    assert isinstance(root.children["bad\udcff"], FileNode)
    sparse = root.children["sparse"]
    assert isinstance(sparse, FileNode)
    assert sparse.size == 5 << 30
    assert sparse.allocated is not None
    assert sparse.allocated < 1 << 20


def test_a_scan_ends_at_the_first_entry_too_many(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / str(number)).touch()
    calls: list[None] = []
    with OutputFolder(tmp_path) as output, pytest.raises(RuleBroken) as caught:
        output.scan(replace(DEFAULT_RULES, max_entries=10), lambda: calls.append(None))
    assert caught.value.rule is Rule.ENTRIES
    assert len(calls) == 11


def test_deep_folders_are_refused_and_every_descriptor_is_closed(tmp_path: Path) -> None:
    at = os.open(tmp_path, os.O_RDONLY)
    for _ in range(300):
        os.mkdir("a" * 10, dir_fd=at)
        inner = os.open("a" * 10, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = inner
    os.close(at)
    with pytest.raises(RuleBroken) as caught:
        scanned(tmp_path)
    assert caught.value.rule is Rule.DEPTH
    assert descriptors_below(tmp_path) == set()


def test_files_are_opened_below_the_folder_only(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "d").mkdir(parents=True)
    (out / "d" / "f").write_bytes(b"inside")
    (tmp_path / "secret").write_bytes(b"host secret")
    with OutputFolder(out) as output:
        with output.open(("d", "f")) as file:
            assert file.read() == b"inside"
        # What the scan found may be replaced before it is opened.
        (out / "d" / "f").unlink()
        (out / "d" / "f").symlink_to(tmp_path / "secret")
        with pytest.raises(OSError, match="symbolic links"):
            output.open(("d", "f"))
        os.mkfifo(out / "fifo")
        with pytest.raises(OSError, match="no longer a regular file"):
            output.open(("fifo",))
        (out / "swapped").symlink_to(tmp_path)
        with pytest.raises(NotADirectoryError):
            output.open(("swapped", "secret"))


@pytest.mark.parametrize("kind", ["missing", "file", "link"])
def test_the_folder_itself_must_be_a_folder(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "out"
    if kind == "file":
        path.touch()
    if kind == "link":
        path.symlink_to(tmp_path)
    with pytest.raises((FileNotFoundError, NotADirectoryError)):
        OutputFolder(path)


def test_a_scan_can_be_cancelled(tmp_path: Path) -> None:
    (tmp_path / "f").touch()

    def cancel() -> None:
        raise Cancelled

    with OutputFolder(tmp_path) as output, pytest.raises(Cancelled):
        output.scan(DEFAULT_RULES, cancel)
