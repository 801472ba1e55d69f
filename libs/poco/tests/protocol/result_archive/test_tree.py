"""Paths and links are followed as the container would follow them, without a file system."""

import pytest
from workerpool_poco.protocol.result_archive.tree import (
    FileNode,
    FolderNode,
    LinkNode,
    PathMissing,
    PathUnresolved,
    TreePath,
    node_at,
    resolve,
    sorted_children,
)

ROOT = FolderNode(
    {
        "a": FileNode(1),
        "d": FolderNode({"f": FileNode(2), "up": LinkNode("../a"), "e": FolderNode({"g": FileNode(3)})}),
        "to-d": LinkNode("d"),
        "chain": LinkNode("to-d/up"),
        "absolute": LinkNode("/iexec_out/d/f"),
        "round": LinkNode("../iexec_out/a"),
        "root": LinkNode("/iexec_out"),
        "out": LinkNode("/etc/passwd"),
        "above": LinkNode(".."),
        "other": LinkNode("/iexec_out2/a"),
        "dangling": LinkNode("nothing"),
        "self": LinkNode("self"),
        "ping": LinkNode("pong"),
        "pong": LinkNode("ping"),
        "through": LinkNode("a/b"),
    }
)


@pytest.mark.parametrize(
    ("path", "real"),
    [
        ("a", ("a",)),
        ("./a", ("a",)),
        ("d//f/", ("d", "f")),
        ("d/../a", ("a",)),
        ("to-d/f", ("d", "f")),
        ("chain", ("a",)),
        ("absolute", ("d", "f")),
        ("round", ("a",)),
        ("root/root/a", ("a",)),
        ("/iexec_out", ()),
        ("/iexec_out/to-d/e/g", ("d", "e", "g")),
        ("/../iexec_out/./a", ("a",)),
    ],
)
def test_paths_inside_are_followed(path: str, real: TreePath) -> None:
    assert resolve(ROOT, (), path) == (real, node_at(ROOT, real))


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("out", "leads out of"),
        ("above", "leads out of"),
        ("other", "leads out of"),
        ("d/../..", "leads out of"),
        ("/", "leads out of"),
        ("/proc/self/root/iexec_out/a", "leads out of"),
        ("self", "loop of links"),
        ("ping", "loop of links"),
        ("dangling", "names nothing"),
        ("through", "names nothing"),
        ("a/b", "names nothing"),
        ("a/..", "names nothing"),
        ("d/missing", "names nothing"),
    ],
)
def test_paths_that_leave_loop_or_dangle_are_refused(path: str, problem: str) -> None:
    with pytest.raises(PathUnresolved, match=problem) as caught:
        resolve(ROOT, (), path)
    assert isinstance(caught.value, PathMissing) == (problem == "names nothing")


def test_a_relative_link_starts_in_its_own_folder() -> None:
    assert resolve(ROOT, ("d",), "../a")[0] == ("a",)
    assert resolve(ROOT, ("d", "e"), "../f")[0] == ("d", "f")


def test_children_are_sorted_by_their_bytes() -> None:
    folder = FolderNode({name: FileNode(0) for name in ("b", "\udcff", "a", "é", "\U0001f600")})
    assert [name for name, _ in sorted_children(folder)] == ["a", "b", "é", "\U0001f600", "\udcff"]
