"""Builds a result: one scan of the output folder, then one read of each file for both the archive and the digest."""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from workerpool_poco.protocol.result_archive.computed_file import (
    callback_data,
    find_computed,
    output_path,
    parse_computed,
)
from workerpool_poco.protocol.result_archive.digest import plan_digest
from workerpool_poco.protocol.result_archive.layout import Entry, lay_out
from workerpool_poco.protocol.result_archive.rules import DEFAULT_RULES, ArchiveRules
from workerpool_poco.protocol.result_archive.tree import FileNode, FolderNode, TreePath
from workerpool_poco.protocol.results import COMPUTED_FILE, callback_digest
from workerpool_poco.result_archive.output_folder import Check, OutputFolder
from workerpool_poco.result_archive.zip_writing import CHUNK_BYTES, ArchiveWriter

AddedFile: TypeAlias = bytes | Path
"""Content that the worker adds to an output: bytes, or a file outside the output folder."""

ReadFile: TypeAlias = Callable[[TreePath], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class BuiltResult:
    """A result whose archive is written. `callback` is empty unless the deal has a callback."""

    digest: bytes
    callback: bytes = b""


def build_result(
    folder: Path,
    target: Path,
    *,
    callback: bool,
    added: Mapping[str, AddedFile],
    rules: ArchiveRules,
    check: Check,
) -> BuiltResult:
    """Write the archive of an output folder to `target` and return the digest.

    The result of a callback deal is its callback data; its archive holds computed.json and the added files only.
    Raises a sub-class of `ResultDigestError` (`RuleBroken` included) for a defect of the output, OSError for a failure
    of the host, and whatever `check` raises.

    Args:
        folder: the output folder; nothing is written into it.
        target: path of the archive, which appears only when it is complete.
        callback: whether the deal names a callback contract.
        added: files that replace files of the same name at the top of the output, such as the logs.
        rules: limits of the archive.
        check: called for every entry and every chunk of at most 1 MiB.
    """
    with OutputFolder(folder) as output:
        root = output.scan(rules, check)
        _add(root, added)
        path, node = find_computed(root, rules)
        # The result of a callback deal reaches no archive, so its other files break no rule.
        entries = [] if callback else lay_out(root, rules)
        content = node.added if isinstance(node.added, bytes) else _read_small(output, path, rules)
        computed = parse_computed(content, rules)
        if callback:
            data = callback_data(computed)
            build_archive(target, {COMPUTED_FILE: content, **added}, rules=rules, check=check)
            return BuiltResult(callback_digest(data), data)
        plan = plan_digest(root, output_path(computed))

        def read(source: TreePath) -> Iterator[bytes]:
            # The bytes that were parsed are those in the archive.
            return iter((content,)) if source == path else _chunks(output, source)

        return BuiltResult(plan.digest(_write(entries, target, read, rules, check)))


def folder_result_digest(folder: Path) -> bytes:
    """Return the digest of an unpacked result. Raises a sub-class of `ResultDigestError`, or OSError."""
    hashes = {}
    with OutputFolder(folder) as output:
        root = output.scan(DEFAULT_RULES, lambda: None)
        path, _ = find_computed(root, DEFAULT_RULES)
        computed = parse_computed(_read_small(output, path, DEFAULT_RULES), DEFAULT_RULES)
        plan = plan_digest(root, output_path(computed))
        for source in plan.files:
            with output.open(source) as file:
                hashes[source] = hashlib.file_digest(file, "sha256").digest()
    return plan.digest(hashes)


def build_archive(target: Path, files: Mapping[str, AddedFile], *, rules: ArchiveRules, check: Check) -> None:
    """Write an archive of the given files only, by name. Raises OSError and `RuleBroken`."""
    root = FolderNode()
    _add(root, files)
    _write(lay_out(root, rules), target, lambda source: iter(()), rules, check)


def _add(root: FolderNode, added: Mapping[str, AddedFile]) -> None:
    for name, content in added.items():
        if isinstance(root.children.get(name), FolderNode):
            continue  # The application's folder stays.
        if isinstance(content, bytes):
            root.children[name] = FileNode(len(content), added=content)
        else:
            root.children[name] = FileNode(content.stat().st_size, added=str(content))


def _write(
    entries: list[Entry], target: Path, read: ReadFile, rules: ArchiveRules, check: Check
) -> dict[TreePath, bytes]:
    """Write all entries; return the SHA-256 of each file by its path without links."""
    hashes: dict[TreePath, bytes] = {}
    first: dict[TreePath, str] = {}
    with ArchiveWriter(target, rules, check) as archive:
        for entry in entries:
            check()
            if entry.node is None:
                archive.add_folder(entry.path)
            elif entry.source in first:
                archive.add_copy(entry.path, first[entry.source])
            else:
                first[entry.source] = entry.path
                content = (
                    _added_chunks(entry.node.added) if entry.node.added is not None else read(entry.source)
                )
                hashes[entry.source] = archive.add_file(entry.path, entry.node.size, content)
    return hashes


def _read_small(output: OutputFolder, path: TreePath, rules: ArchiveRules) -> bytes:
    with output.open(path) as file:
        return file.read(rules.max_computed_bytes + 1)


def _chunks(output: OutputFolder, path: TreePath) -> Iterator[bytes]:
    with output.open(path) as file:
        # The kernel then reads further ahead, while the last chunk is packed and written.
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _added_chunks(content: bytes | str) -> Iterator[bytes]:
    if isinstance(content, bytes):
        if content:
            yield content
        return
    # The log was written by the worker itself, in a folder that no container sees.
    descriptor = os.open(content, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
