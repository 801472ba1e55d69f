"""A result's files as a tree of values: what a worker finds in an output folder, or a proxy in an archive."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from workerpool_poco.protocol.result_archive.names import shown
from workerpool_poco.protocol.result_archive.rules import Rule, RuleBroken
from workerpool_poco.protocol.results import IEXEC_OUT

_MAX_LINKS = 40
"""Most links in one resolution, as on Linux."""

TreePath: TypeAlias = tuple[str, ...]
"""Names from the output folder to a file or folder; empty for the output folder itself."""


@dataclass(frozen=True, slots=True)
class FileNode:
    """A regular file. `size` is its apparent size, `allocated` its size on disk, both in bytes.

    `added` is the content of a file that the worker adds to the output: bytes, or the
    path of a file outside the output folder.
    """

    size: int
    allocated: int | None = None
    added: bytes | str | None = None


@dataclass(frozen=True, slots=True)
class LinkNode:
    """A symbolic link, not followed."""

    target: str


@dataclass(frozen=True, slots=True)
class SpecialNode:
    """Neither a file, a folder nor a link; `kind` is its name, such as "fifo"."""

    kind: str


@dataclass(frozen=True, slots=True)
class FolderNode:
    """A folder with its direct content by name."""

    children: "dict[str, Node]" = field(default_factory=dict)


Node: TypeAlias = FileNode | FolderNode | LinkNode | SpecialNode


def sorted_children(folder: FolderNode) -> Iterator[tuple[str, Node]]:
    """Yield the content of a folder in the order of the names' bytes, which is the same on every worker."""
    for name in sorted(folder.children, key=lambda name: name.encode(errors="surrogateescape")):
        yield name, folder.children[name]


def node_at(root: FolderNode, path: Sequence[str]) -> Node | None:
    """Return the node at a path that contains no links; None if there is none."""
    node: Node | None = root
    for name in path:
        node = node.children.get(name) if isinstance(node, FolderNode) else None
    return node


class PathUnresolved(RuleBroken):
    """A path leads to no file or folder of the output."""

    def __init__(self, message: str) -> None:
        super().__init__(Rule.LINK, message)


class PathMissing(PathUnresolved):
    """A path names nothing."""


def resolve(
    root: FolderNode, start: TreePath, path: str
) -> tuple[TreePath, FileNode | FolderNode | SpecialNode]:
    """Follow a path and its links as the application's container would, without I/O.

    Return the path without links and its node. `/iexec_out` is the output folder; every other absolute path lies
    outside. Raises `PathMissing` if it names nothing, `PathUnresolved` if it leaves the output folder or loops.

    Args:
        root: the output folder.
        start: the folder that a relative path starts from.
        path: the path as text.
    """
    return _Walk(root, start, path).end()


class _Walk:
    def __init__(self, root: FolderNode, start: TreePath, path: str) -> None:
        self._root = root
        self._asked = path
        self._here = list(start)
        self._outside = False
        """Whether the walk is in `/`, the folder above the output folder."""
        self._pending: deque[str] = deque()
        self._links = 0
        self._enter(path)

    def end(self) -> tuple[TreePath, FileNode | FolderNode | SpecialNode]:
        while self._pending:
            self._step(self._pending.popleft())
        if self._outside:
            raise self._left()
        node = node_at(self._root, self._here)
        if node is None or isinstance(node, LinkNode):
            raise PathMissing(f"{shown(self._asked)} names nothing in {IEXEC_OUT}")
        return tuple(self._here), node

    def _enter(self, path: str) -> None:
        if path.startswith("/"):
            self._outside = True
            self._here = []
        self._pending.extendleft(reversed(path.split("/")))

    def _step(self, name: str) -> None:
        if name in ("", "."):
            return
        if self._outside:
            if name == IEXEC_OUT.strip("/"):
                self._outside = False
            elif name != "..":
                raise self._left()
            return
        here = node_at(self._root, self._here)
        if not isinstance(here, FolderNode):
            raise PathMissing(f"{shown(self._asked)} names nothing in {IEXEC_OUT}")
        if name == "..":
            if self._here:
                self._here.pop()
            else:
                self._outside = True
            return
        node = here.children.get(name)
        if node is None:
            raise PathMissing(f"{shown(self._asked)} names nothing in {IEXEC_OUT}")
        if isinstance(node, LinkNode):
            self._links += 1
            if self._links > _MAX_LINKS:
                raise PathUnresolved(f"{shown(self._asked)} is a loop of links")
            self._enter(node.target)
            return
        self._here.append(name)

    def _left(self) -> PathUnresolved:
        return PathUnresolved(f"{shown(self._asked)} leads out of {IEXEC_OUT}")
