"""Which files a digest covers."""

import hashlib

import pytest
from eth_utils.crypto import keccak
from workerpool_poco.protocol.result_archive.digest import plan_digest
from workerpool_poco.protocol.result_archive.tree import FileNode, FolderNode, LinkNode, SpecialNode, TreePath
from workerpool_poco.protocol.results import EmptyOutput, OutputPathInvalid, OutputPathNotFound

ROOT = FolderNode(
    {
        "a": FileNode(1),
        "b": LinkNode("a"),
        "out": FolderNode(
            {
                "r": FileNode(1),
                "latest": LinkNode("r"),
                "sub": FolderNode({"x": FileNode(1)}),
                "up": LinkNode("../a"),
            }
        ),
        "leak": FolderNode({"x": FileNode(1), "e": LinkNode("/etc/passwd")}),
        "empty": FolderNode(),
        "only-folders": FolderNode({"d": FolderNode({"x": FileNode(1)})}),
        "fifo": SpecialNode("fifo"),
    }
)
HASHES = {("a",): b"\1" * 32, ("out", "r"): b"\2" * 32}


@pytest.mark.parametrize("path", ["/iexec_out/a", "/iexec_out/b"], ids=["a file", "archive-path-is-link"])
def test_a_file_counts_as_its_sha256(path: str) -> None:
    plan = plan_digest(ROOT, path)
    assert plan.files == {("a",)}
    assert plan.digest(HASHES) == HASHES["a",]


def test_a_folder_counts_as_its_direct_files_by_name() -> None:
    plan = plan_digest(ROOT, "/iexec_out/out")
    assert plan.files == {("out", "r"), ("a",)}
    latest, r, up = HASHES["out", "r"], HASHES["out", "r"], HASHES["a",]
    assert plan.digest(HASHES) == keccak(latest + r + up)


@pytest.mark.parametrize(
    ("path", "error", "sentence"),
    [
        ("/iexec_out/none", OutputPathNotFound, "names nothing"),
        ("/iexec_out/a/b", OutputPathNotFound, "names nothing"),
        ("/iexec_out/fifo", OutputPathNotFound, "names a fifo"),
        ("/iexec_out/empty", EmptyOutput, "a folder without files"),
        ("/iexec_out/only-folders", EmptyOutput, "a folder without files"),
        ("/iexec_out/leak", OutputPathInvalid, "leads out of /iexec_out"),
    ],
    ids=lambda value: f"computed-odd: {value}" if isinstance(value, str) else value.__name__,
)
def test_outputs_without_a_digest_have_their_own_sentences(
    path: str, error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        plan_digest(ROOT, path)


def test_the_order_of_names_is_that_of_their_code_points() -> None:
    names = ["é", "Z", "a", "\U0001f600", "ﬁ"]
    root = FolderNode({name: FileNode(1) for name in names})
    hashes: dict[TreePath, bytes] = {(name,): hashlib.sha256(name.encode()).digest() for name in names}
    expected = keccak(b"".join(hashes[name,] for name in ["Z", "a", "é", "ﬁ", "\U0001f600"]))
    assert plan_digest(root, "/iexec_out").digest(hashes) == expected
