"""Reads an output folder without ever leaving it: every open is relative to an open folder and follows no link."""

import os
import stat
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self

from workerpool_poco.protocol.result_archive.layout import too_deep, too_many
from workerpool_poco.protocol.result_archive.rules import ArchiveRules
from workerpool_poco.protocol.result_archive.tree import (
    FileNode,
    FolderNode,
    LinkNode,
    Node,
    SpecialNode,
    TreePath,
)

Check = Callable[[], None]
"""Called for every entry and every chunk. It raises to cancel the work; the exception passes unchanged."""

_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK the open of a fifo waits for its writer.
_FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_BLOCK_BYTES = 512
_KINDS = {
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "character device",
    stat.S_IFBLK: "block device",
}


class OutputFolder:
    """An open output folder. Use it as a context manager. All methods raise OSError."""

    def __init__(self, path: Path) -> None:
        """Open the folder. Raises OSError if it is missing, a link, or no folder."""
        self._descriptors = [os.open(path, _FOLDER_FLAGS)]
        self._names: list[str] = []
        """The open folders below the first one, so that the files of a folder are opened without a new walk."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave_to(0)
        os.close(self._descriptors.pop())

    def scan(self, rules: ArchiveRules, check: Check) -> FolderNode:
        """Return the tree of the folder; no file is opened.

        Raises `RuleBroken` as soon as there are more entries or deeper folders than allowed.
        """
        root = FolderNode()
        count = 0
        pending: list[TreePath] = [()]
        while pending:
            path = pending.pop()
            folder = _folder_at(root, path)
            self._enter(path)
            with os.scandir(self._descriptors[-1]) as entries:
                for entry in entries:
                    check()
                    count += 1
                    if count > rules.max_entries:
                        raise too_many(rules)
                    node = self._node(entry.name)
                    folder.children[entry.name] = node
                    if isinstance(node, FolderNode):
                        if len(path) + 1 > rules.max_depth:
                            raise too_deep(rules)
                        pending.append((*path, entry.name))
        return root

    def open(self, path: TreePath) -> FileIO:
        """Open a file of the tree. Raises OSError, also if it is no longer a regular file."""
        self._enter(path[:-1])
        descriptor = os.open(path[-1], _FILE_FLAGS, dir_fd=self._descriptors[-1])
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(f"{path[-1]!r} is no longer a regular file")
        return os.fdopen(descriptor, "rb", buffering=0)

    def _node(self, name: str) -> Node:
        folder = self._descriptors[-1]
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        kind = stat.S_IFMT(status.st_mode)
        if kind == stat.S_IFREG:
            return FileNode(status.st_size, status.st_blocks * _BLOCK_BYTES)
        if kind == stat.S_IFDIR:
            return FolderNode()
        if kind == stat.S_IFLNK:
            return LinkNode(os.readlink(name, dir_fd=folder))
        return SpecialNode(_KINDS.get(kind, "special file"))

    def _enter(self, path: TreePath) -> None:
        """Make a folder the innermost open one."""
        shared = 0
        while shared < min(len(path), len(self._names)) and path[shared] == self._names[shared]:
            shared += 1
        self._leave_to(shared)
        for name in path[shared:]:
            self._descriptors.append(os.open(name, _FOLDER_FLAGS, dir_fd=self._descriptors[-1]))
            self._names.append(name)

    def _leave_to(self, depth: int) -> None:
        while len(self._names) > depth:
            self._names.pop()
            os.close(self._descriptors.pop())


def _folder_at(root: FolderNode, path: TreePath) -> FolderNode:
    folder = root
    for name in path:
        child = folder.children[name]
        assert isinstance(child, FolderNode)
        folder = child
    return folder
