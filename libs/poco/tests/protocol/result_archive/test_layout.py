"""Which entries an archive gets, and which outputs get none."""

from dataclasses import replace

import pytest
from workerpool_poco.protocol.result_archive.layout import lay_out
from workerpool_poco.protocol.result_archive.rules import (
    DEFAULT_RULES,
    MAX_CONTENTS_BYTES,
    ArchiveRules,
    Rule,
    RuleBroken,
)
from workerpool_poco.protocol.result_archive.tree import (
    FileNode,
    FolderNode,
    LinkNode,
    Node,
    SpecialNode,
)


def folder(**children: Node) -> FolderNode:
    return FolderNode({name.replace("_", "-"): child for name, child in children.items()})


def nested(levels: int, inner: Node) -> FolderNode:
    node = FolderNode({"r": inner})
    for _ in range(levels):
        node = FolderNode({"a" * 10: node})
    return node


def broken(root: FolderNode, rules: ArchiveRules = DEFAULT_RULES) -> RuleBroken:
    with pytest.raises(RuleBroken) as caught:
        lay_out(root, rules)
    return caught.value


def test_folders_come_before_their_content_and_names_in_order() -> None:
    root = folder(b=FileNode(1), a=folder(z=FileNode(1), y=folder()), c=FileNode(0))
    assert [entry.path for entry in lay_out(root, DEFAULT_RULES)] == ["a", "a/y", "a/z", "b", "c"]


def test_a_link_shares_the_source_of_its_target() -> None:
    root = folder(out=folder(result=FileNode(3), latest=LinkNode("result")), top=LinkNode("out"))
    found = {entry.path: entry.source for entry in lay_out(root, DEFAULT_RULES)}
    result = ("out", "result")
    assert found == {
        "out": ("out",),
        "out/latest": result,
        "out/result": result,
        "top": ("out",),
        "top/latest": result,
        "top/result": result,
    }


@pytest.mark.parametrize(
    ("root", "rule"),
    [
        (folder(e=LinkNode("/etc")), Rule.LINK),
        (folder(e=LinkNode("../..")), Rule.LINK),
        (folder(e=LinkNode("missing")), Rule.LINK),
        (folder(e=LinkNode("e")), Rule.LINK),
        (folder(e=LinkNode(".")), Rule.LINK),
        (folder(d=folder(up=LinkNode(".."))), Rule.LINK),
        (folder(d=folder(up=LinkNode("/iexec_out"))), Rule.LINK),
        (folder(x=folder(y=LinkNode("../y")), y=folder(x=LinkNode("../x"))), Rule.LINK),
        (folder(e=SpecialNode("fifo")), Rule.SPECIAL_FILE),
        (folder(d=folder(e=SpecialNode("socket"))), Rule.SPECIAL_FILE),
        (folder(e=LinkNode("f"), f=SpecialNode("block device")), Rule.SPECIAL_FILE),
        (FolderNode({"a\nb": FileNode(0)}), Rule.NAME),
        (FolderNode({"a\\b": LinkNode("c"), "c": FileNode(0)}), Rule.NAME),
        (FolderNode({"C:": folder()}), Rule.NAME),
        (nested(300, FileNode(2)), Rule.DEPTH),
        (folder(sparse=FileNode(5 << 30, 0)), Rule.SIZE),
        (folder(a=FileNode(3 << 30), b=FileNode(2 << 30)), Rule.SIZE),
        (folder(a=FileNode(3 << 30), b=LinkNode("a")), Rule.SIZE),
    ],
)
def test_what_an_archive_cannot_hold_is_refused(root: FolderNode, rule: Rule) -> None:
    assert broken(root).rule is rule


def test_the_message_of_a_sparse_file_tells_both_sizes() -> None:
    assert "5368709120 bytes (4096 on disk)" in str(broken(folder(sparse=FileNode(5 << 30, 4096))))


@pytest.mark.parametrize("levels", [64, 65])
def test_the_depth_limit_is_exact(levels: int) -> None:
    root, rules = nested(levels, FileNode(1)), replace(DEFAULT_RULES, max_path_bytes=10_000)
    if levels == 64:
        assert len(lay_out(root, rules)) == 65
    else:
        assert broken(root, rules).rule is Rule.DEPTH


def test_paths_are_limited_in_bytes() -> None:
    rules = replace(DEFAULT_RULES, max_path_bytes=23)
    assert broken(nested(2, FileNode(1)), replace(rules, max_path_bytes=22)).rule is Rule.PATH_LENGTH
    assert len(lay_out(nested(2, FileNode(1)), rules)) == 3


@pytest.mark.parametrize("count", [5, 6])
def test_the_limit_of_entries_is_exact(count: int) -> None:
    root = FolderNode({str(number): FileNode(0) for number in range(count)})
    rules = replace(DEFAULT_RULES, max_entries=5)
    if count == 5:
        assert len(lay_out(root, rules)) == 5
    else:
        assert broken(root, rules).rule is Rule.ENTRIES


def test_links_to_folders_cannot_multiply_without_limit() -> None:
    root = FolderNode({"d0": FolderNode({"f": FileNode(1)})})
    for level in range(1, 40):
        child = {name: LinkNode(f"../d{level - 1}") for name in ("x", "y")}
        root.children[f"d{level}"] = FolderNode(dict(child))
    assert broken(root).rule is Rule.ENTRIES


def test_the_table_of_contents_is_limited() -> None:
    long = "d" * 255
    deep = FolderNode({f"f{number}": FileNode(0) for number in range(2_500)})
    for _ in range(7):
        deep = FolderNode({long: deep})
    assert MAX_CONTENTS_BYTES < 2_500 * 7 * 256
    assert broken(deep).rule is Rule.ENTRIES
