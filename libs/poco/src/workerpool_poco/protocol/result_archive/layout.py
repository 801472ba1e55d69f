"""The entries of a result's archive: every rule but those of computed.json is checked here."""

from collections.abc import Iterator
from dataclasses import dataclass

from workerpool_poco.protocol.result_archive.names import check_name, shown
from workerpool_poco.protocol.result_archive.rules import MAX_CONTENTS_BYTES, ArchiveRules, Rule, RuleBroken
from workerpool_poco.protocol.result_archive.tree import (
    FileNode,
    FolderNode,
    LinkNode,
    Node,
    PathUnresolved,
    SpecialNode,
    TreePath,
    resolve,
    sorted_children,
)

_CONTENTS_BYTES_PER_ENTRY = 46 + 28
"""Size of an entry in the table of contents without its name: the fixed part and the sizes of ZIP64."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of an archive.

    `source` is the file whose content it holds, by its path without links; several entries may share it. `node` is
    None for a folder.
    """

    path: str
    source: TreePath
    node: FileNode | None


def lay_out(root: FolderNode, rules: ArchiveRules) -> list[Entry]:
    """Return the entries of the archive of an output folder, depth first, each level in the order of the names.

    A link inside the output becomes an entry with the content of its target, also when that is a folder. Raises
    `RuleBroken`; which rule it names depends on the tree only.
    """
    return list(_Layout(root, rules).entries(root, (), "", 0))


class _Layout:
    def __init__(self, root: FolderNode, rules: ArchiveRules) -> None:
        self._root = root
        self._rules = rules
        self._count = 0
        self._bytes = 0
        self._allocated = 0
        self._contents = 0
        self._open: set[TreePath] = {()}
        """The folders, by their path without links, that contain the current entry."""

    def entries(self, folder: FolderNode, source: TreePath, prefix: str, depth: int) -> Iterator[Entry]:
        for name, child in sorted_children(folder):
            real, node = self._real((*source, name), child, prefix + name)
            is_file = isinstance(node, FileNode)
            check_name(name, self._rules, is_file=is_file, at_top=depth == 0)
            path = prefix + name
            self._count_entry(path)
            if isinstance(node, FileNode):
                self._count_bytes(node)
                yield Entry(path, real, node)
                continue
            if real in self._open:
                raise RuleBroken(Rule.LINK, f"the link {shown(path)} leads to a folder that contains it")
            if depth + 1 > self._rules.max_depth:
                raise too_deep(self._rules)
            yield Entry(path, real, None)
            self._open.add(real)
            yield from self.entries(node, real, path + "/", depth + 1)
            self._open.discard(real)

    def _real(self, at: TreePath, node: Node, path: str) -> tuple[TreePath, FileNode | FolderNode]:
        """Return the file or folder that an entry represents."""
        found: Node = node
        if isinstance(node, LinkNode):
            try:
                at, found = resolve(self._root, at[:-1], node.target)
            except PathUnresolved as problem:
                raise RuleBroken(Rule.LINK, f"the link {shown(path)} is not allowed: {problem}") from problem
        if isinstance(found, SpecialNode):
            raise RuleBroken(
                Rule.SPECIAL_FILE, f"{shown(path)} is a {found.kind}; write only files, folders and links"
            )
        assert not isinstance(found, LinkNode)
        return at, found

    def _count_entry(self, path: str) -> None:
        length = len(path.encode())
        if length > self._rules.max_path_bytes:
            raise RuleBroken(
                Rule.PATH_LENGTH,
                f"the path {shown(path)} has {length} bytes; the limit is {self._rules.max_path_bytes}",
            )
        self._count += 1
        if self._count > self._rules.max_entries:
            raise too_many(self._rules)
        self._contents += length + _CONTENTS_BYTES_PER_ENTRY
        if self._contents > MAX_CONTENTS_BYTES:
            raise RuleBroken(
                Rule.ENTRIES,
                f"the names of all entries together exceed {MAX_CONTENTS_BYTES} bytes; write fewer files",
            )

    def _count_bytes(self, node: FileNode) -> None:
        self._bytes += node.size
        self._allocated += node.size if node.allocated is None else node.allocated
        if self._bytes > self._rules.max_unpacked_bytes:
            raise RuleBroken(
                Rule.SIZE,
                f"the files have at least {self._bytes} bytes ({self._allocated} on disk); "
                f"the limit is {self._rules.max_unpacked_bytes}",
            )


def too_many(rules: ArchiveRules) -> RuleBroken:
    """Return the error for more entries than allowed."""
    return RuleBroken(Rule.ENTRIES, f"there are more than {rules.max_entries} files and folders; write fewer")


def too_deep(rules: ArchiveRules) -> RuleBroken:
    """Return the error for deeper folders than allowed."""
    return RuleBroken(Rule.DEPTH, f"folders are nested deeper than {rules.max_depth} levels")
