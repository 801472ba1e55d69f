"""The rules for uploaded archives, checked against the zip's central directory before anything is decompressed.

Workers apply the same rules for files, folders and names (`workerpool_poco.protocol.result_archive`).
"""

import stat
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workerpool_poco.protocol.result_archive.layout import too_deep, too_many
from workerpool_poco.protocol.result_archive.names import shown
from workerpool_poco.protocol.result_archive.rules import ArchiveRules, Rule, RuleBroken
from workerpool_poco.protocol.result_archive.tree import FileNode, FolderNode, TreePath

from workerpool_result_proxy.errors import (
    ArchiveBomb,
    ArchiveDuplicateName,
    ArchiveRefused,
    ArchiveSpecialFile,
    ArchiveUnsafePath,
    ArchiveUnsupported,
    ArchiveWithoutDigest,
)

_ENCRYPTED = 0x1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_REFUSALS: Mapping[Rule, type[ArchiveRefused]] = {
    Rule.ENTRIES: ArchiveBomb,
    Rule.SIZE: ArchiveBomb,
    Rule.DEPTH: ArchiveUnsafePath,
    Rule.NAME: ArchiveUnsafePath,
    Rule.PATH_LENGTH: ArchiveUnsafePath,
    Rule.COLLISION: ArchiveDuplicateName,
    Rule.LINK: ArchiveSpecialFile,
    Rule.SPECIAL_FILE: ArchiveSpecialFile,
    Rule.COMPUTED_FILE: ArchiveWithoutDigest,
}


@dataclass(frozen=True)
class CheckedArchive:
    """An archive that obeys the rules: its tree, and the zip's entry of each file."""

    root: FolderNode
    files: Mapping[TreePath, zipfile.ZipInfo]


def refusal_of(broken: RuleBroken) -> ArchiveRefused:
    """Return the refusal for a broken rule."""
    return _REFUSALS[broken.rule](str(broken), details={"cause": broken.cause})


def check_entries(infos: Sequence[zipfile.ZipInfo], rules: ArchiveRules) -> CheckedArchive:
    """Return the tree of an archive. Raises a sub-class of `ArchiveRefused` for impossible contents of a folder.

    `lay_out` then checks the rules of output folders. The declared sizes may be false, so the reader must count the
    bytes.
    """
    tree = _Tree(rules)
    try:
        for info in infos:
            path = _path(info)
            _check_kind(info)
            tree.add(path, info)
    except RuleBroken as broken:
        raise refusal_of(broken) from broken
    return CheckedArchive(tree.root, tree.files)


class _Tree:
    def __init__(self, rules: ArchiveRules) -> None:
        self.root = FolderNode()
        self.files: dict[TreePath, zipfile.ZipInfo] = {}
        self._rules = rules
        self._count = 0
        self._folders: set[TreePath] = set()
        """The folders that have an entry."""

    def add(self, path: TreePath, info: zipfile.ZipInfo) -> None:
        if info.is_dir():
            if path in self._folders:
                raise RuleBroken(Rule.COLLISION, f"the archive has {shown(info.filename)} twice")
            self._folders.add(path)
            self._folder(path)
            return
        folder = self._folder(path[:-1])
        if path[-1] in folder.children:
            raise RuleBroken(Rule.COLLISION, f"the archive has {shown(info.filename)} twice")
        self._count_entry()
        folder.children[path[-1]] = FileNode(info.file_size)
        self.files[path] = info

    def _folder(self, path: TreePath) -> FolderNode:
        if len(path) > self._rules.max_depth:
            raise too_deep(self._rules)
        folder = self.root
        for name in path:
            child = folder.children.get(name)
            if child is None:
                self._count_entry()
                child = folder.children[name] = FolderNode()
            if not isinstance(child, FolderNode):
                raise RuleBroken(Rule.COLLISION, f"{shown('/'.join(path))} is both a file and a folder")
            folder = child
        return folder

    def _count_entry(self) -> None:
        self._count += 1
        if self._count > self._rules.max_entries:
            raise too_many(self._rules)


def _path(info: zipfile.ZipInfo) -> TreePath:
    # zipfile truncates `filename` at a NUL; the original name is in the archive.
    name = info.orig_filename
    path = tuple(part for part in name.split("/") if part not in ("", "."))
    if not path or "\0" in name:
        raise RuleBroken(Rule.NAME, f"an entry has the name {shown(name)}")
    if name.startswith("/") or ".." in path:
        raise RuleBroken(Rule.NAME, f"the entry {shown(name)} points outside the archive")
    return path


def _check_kind(info: zipfile.ZipInfo) -> None:
    name = shown(info.filename)
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise ArchiveSpecialFile(f"the entry {name} is neither a file nor a folder")
    if info.flag_bits & _ENCRYPTED:
        raise ArchiveUnsupported(f"the entry {name} is encrypted")
    if info.compress_type not in _METHODS:
        raise ArchiveUnsupported(f"the entry {name} is compressed by a method other than deflate")
    if info.is_dir() and info.file_size:
        raise ArchiveSpecialFile(f"the folder {name} has content")
