"""Which files a result's digest covers (worker spec A.8)."""

from collections.abc import Mapping
from dataclasses import dataclass

from workerpool_poco.protocol.result_archive.tree import (
    FileNode,
    FolderNode,
    LinkNode,
    Node,
    PathMissing,
    PathUnresolved,
    TreePath,
    resolve,
)
from workerpool_poco.protocol.results import (
    EmptyOutput,
    OutputPathInvalid,
    OutputPathNotFound,
    folder_digest,
)


@dataclass(frozen=True, slots=True)
class DigestPlan:
    """The files whose SHA-256 make the digest, by their path without links.

    `file` is the deterministic output itself; otherwise `folder` maps the names in it to files.
    """

    file: TreePath | None
    folder: Mapping[str, TreePath]

    @property
    def files(self) -> frozenset[TreePath]:
        """Every file that must be hashed."""
        return frozenset(self.folder.values()) if self.file is None else frozenset({self.file})

    def digest(self, sha256: Mapping[TreePath, bytes]) -> bytes:
        """Return the digest: the SHA-256 of a file, or the `folder_digest` of a folder."""
        if self.file is not None:
            return sha256[self.file]
        return folder_digest({name: sha256[path] for name, path in self.folder.items()})


def plan_digest(root: FolderNode, path: str) -> DigestPlan:
    """Return what the digest of the output at `path` covers: a file, or the direct files of a folder.

    A link counts as what it leads to; sub-folders add nothing. Raises `OutputPathInvalid`, `OutputPathNotFound` or
    `EmptyOutput`.
    """
    try:
        real, node = resolve(root, (), path)
    except PathMissing as problem:
        raise OutputPathNotFound(f"deterministic-output-path: {problem}") from problem
    except PathUnresolved as problem:
        raise OutputPathInvalid(f"deterministic-output-path: {problem}") from problem
    if isinstance(node, FileNode):
        return DigestPlan(real, {})
    if not isinstance(node, FolderNode):
        raise OutputPathNotFound(f"deterministic-output-path names a {node.kind}, not a file or folder")
    files = {}
    for name, child in node.children.items():
        target, found = _follow(root, real, name, child)
        if isinstance(found, FileNode):
            files[name] = target
    if not files:
        raise EmptyOutput("deterministic-output-path is a folder without files")
    return DigestPlan(None, files)


def _follow(root: FolderNode, folder: TreePath, name: str, node: Node) -> tuple[TreePath, Node]:
    if not isinstance(node, LinkNode):
        return (*folder, name), node
    try:
        return resolve(root, folder, node.target)
    except PathUnresolved as problem:
        raise OutputPathInvalid(f"a link in deterministic-output-path is not allowed: {problem}") from problem
