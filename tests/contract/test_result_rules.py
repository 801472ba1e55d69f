"""Worker and result proxy judge one output alike: generated and hostile trees, on a real disk and in real archives."""

import io
import json
import os
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from workerpool_poco.protocol.result_archive.rules import DEFAULT_RULES
from workerpool_poco.protocol.results import ResultDigestError, error_digest
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause
from workerpool_poco.result_archive import build_result
from workerpool_result_proxy.adapters.files.archive_reading import archive_digest
from workerpool_result_proxy.errors import ArchiveRefused
from workerpool_worker.adapters.files.error_result import make_error_result
from workerpool_worker.adapters.files.workspace import DiskTaskFolder
from workerpool_worker.domain.failures.error_report import ErrorReport

RULES = replace(
    DEFAULT_RULES, max_unpacked_bytes=2_000, max_entries=12, max_depth=3, max_name_bytes=40, max_path_bytes=60
)


class Link(str):
    """The target of a symbolic link."""


Tree: TypeAlias = "dict[str, bytes | Link | Tree]"

NAMES = st.one_of(
    st.sampled_from(
        ["a", "A", "b", "é", "e\u0301", "C:", "n" * 31, "n" * 32, "d" * 40, "d" * 41, "a\\b", "x\n"]
    ),
    st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=8
    ).filter(lambda name: name not in (".", "..", "computed.json")),
)
TARGETS = st.builds(
    Link,
    st.one_of(
        st.sampled_from(
            [".", "..", "a", "b/a", "../a", "/iexec_out", "/iexec_out/a", "../iexec_out/b", "/etc"]
        ),
        st.lists(st.sampled_from(["a", "b", "..", "."]), min_size=1, max_size=4).map("/".join),
    ),
)
LEAVES = st.one_of(st.binary(max_size=30), TARGETS, st.just(b"x" * 700))
TREES = st.recursive(
    st.dictionaries(NAMES, LEAVES, max_size=4),
    lambda inner: st.dictionaries(NAMES, st.one_of(LEAVES, inner), max_size=5),
    max_leaves=14,
)
PATHS = st.one_of(
    st.sampled_from(
        ["/iexec_out", "/iexec_out/a", "/iexec_out/b", "/iexec_out/a/b", "/iexec_out/./a/", "/etc"]
    ),
    NAMES.map("/iexec_out/{}".format),
)


def write(tree: Tree, folder: Path) -> None:
    """Create a tree on disk."""
    for name, node in tree.items():
        path = folder / name
        if isinstance(node, dict):
            path.mkdir()
            write(node, path)
        elif isinstance(node, Link):
            path.symlink_to(node)
        else:
            path.write_bytes(node)


def naive_zip(tree: Tree) -> bytes:
    """Return an archive of a tree without links, as a worker without rules would write it."""
    buffer = io.BytesIO()

    def add(archive: zipfile.ZipFile, folder: Tree, prefix: str) -> None:
        for name, node in folder.items():
            info = zipfile.ZipInfo()
            # The constructor would cut and replace some of the names.
            info.filename = info.orig_filename = prefix + name + ("/" if isinstance(node, dict) else "")
            archive.writestr(info, node if isinstance(node, bytes) else b"")
            if isinstance(node, dict):
                add(archive, node, prefix + name + "/")

    with zipfile.ZipFile(buffer, "w") as archive:
        add(archive, tree, "")
    return buffer.getvalue()


def has_links(tree: Tree) -> bool:
    return any(
        isinstance(node, Link) or (isinstance(node, dict) and has_links(node)) for node in tree.values()
    )


def workers_verdict(folder: Path, archive: Path) -> bytes | str:
    """Return the digest, or the cause of the refusal."""
    try:
        built = build_result(folder, archive, callback=False, added={}, rules=RULES, check=lambda: None)
    except ResultDigestError as problem:
        return str(problem.cause)
    return built.digest


def proxys_verdict(archive: Path) -> bytes | str:
    """Return the digest, or the cause of the refusal."""
    try:
        return archive_digest(archive, RULES)
    except ArchiveRefused as refusal:
        return str(refusal.details["cause"])


def judge(tree: Tree, path: str) -> None:
    """Compare the verdicts on a tree whose deterministic output is `path`."""
    tree = {**tree, "computed.json": json.dumps({"deterministic-output-path": path}).encode()}
    with tempfile.TemporaryDirectory() as name:
        folder, archive = Path(name, "iexec_out"), Path(name, "iexec_out.zip")
        folder.mkdir()
        write(tree, folder)
        verdict = workers_verdict(folder, archive)
        if isinstance(verdict, bytes):
            assert proxys_verdict(archive) == verdict, "the proxy refuses what the worker contributed"
        else:
            assert not archive.exists()
        if not has_links(tree):
            archive.write_bytes(naive_zip(tree))
            assert proxys_verdict(archive) == verdict, "the verdicts on one tree differ"


@settings(max_examples=400, deadline=None)
@given(TREES, PATHS)
@example({"out": {"result.txt": b"hi\n", "latest": Link("result.txt")}}, "/iexec_out/out")
@example({"a": b"hi", "b": Link("a")}, "/iexec_out/b")
@example({"o": {"r": b"x", "e": Link("/etc")}}, "/iexec_out/o")
@example({"a": {"b": Link("..")}}, "/iexec_out")
@example({"README": b"1", "readme": b"2", "\u00e9": b"3", "e\u0301": b"4"}, "/iexec_out")
def test_both_sides_judge_every_tree_alike(tree: Tree, path: str) -> None:
    judge(tree, path)


def _deep(levels: int) -> Tree:
    tree: Tree = {"r": b"x"}
    for _ in range(levels):
        tree = {"d": tree}
    return tree


HOSTILE: dict[str, Callable[[], Tree]] = {
    "archive-link-inside": lambda: {"out": {"result.txt": b"hi", "latest": Link("result.txt")}},
    "archive-path-is-link": lambda: {"a": b"hi", "out": Link("a")},
    "archive-link-out": lambda: {"out": {"r": b"x", "e": Link("/etc")}},
    "archive-link-out: a file": lambda: {"out": {"r": b"x", "e": Link("/etc/hostname")}},
    "archive-link-out: dangling": lambda: {"out": {"r": b"x", "e": Link("nothing")}},
    "archive-link-out: loop": lambda: {"out": {"r": b"x", "e": Link("e")}},
    "archive-link-out: its own folder": lambda: {"out": {"r": b"x", "e": Link(".")}},
    "archive-deep-path": lambda: {"out": _deep(30)},
    "archive-deep-path: at the limit": lambda: {"out": _deep(2)},
    "archive-deep-path: one beyond the limit": lambda: {"out": _deep(3)},
    "archive-name-32": lambda: {"a" * 32: b"x", "out": {"r": b"x"}},
    "archive-name-32: 31 characters": lambda: {"a" * 31: b"x", "out": {"r": b"x"}},
    "too many entries": lambda: {"out": {str(number): b"" for number in range(11)}},
    "too many bytes": lambda: {"out": {"a": b"x" * 1_000, "b": b"x" * 1_001}},
    "control characters": lambda: {"out": {"a\x1bb": b"x"}},
    "backslash": lambda: {"out": {"..\\evil": b"x"}},
    "a drive": lambda: {"C:": {"x": b"x"}, "out": {"r": b"x"}},
    "names that differ by case": lambda: {"out": {"R": b"1", "r": b"2"}},
    "names that differ by normalisation": lambda: {"out": {"\u00e9": b"1", "e\u0301": b"2"}},
    "computed-odd: an empty folder": lambda: {"out": {}},
    "computed-odd: a path to nothing": lambda: {"r": b"x"},
}


@pytest.mark.parametrize("case", HOSTILE)
def test_both_sides_judge_the_hostile_cases_alike(case: str) -> None:
    judge(HOSTILE[case](), "/iexec_out/out")


@pytest.mark.parametrize(
    "computed",
    [
        None,
        b"",
        b"[]",
        b"\xff",
        b"[" * 99_000,
        b" " * ((1 << 20) + 1),
        '{"deterministic-output-path": "/iexec_out/r"}'.encode("utf-16"),
        b'{"deterministic-output-path": "/iexec_out/\\ud800"}',
        b'{"deterministic-output-path": "/iexec_out/../r"}',
        b'{"deterministic-output-path": "/iexec_out/r"}',
        b'{"callback-data": "0x00"}',
    ],
    ids=[
        "computed-odd: missing",
        "computed-odd: empty",
        "computed-odd: a list",
        "computed-odd: not UTF-8",
        "computed-deep",
        "computed-huge",
        "computed-odd: UTF-16",
        "computed-odd: a lone surrogate",
        "computed-odd: a path outside",
        "a usual one",
        "computed-odd: callback data without a callback",
    ],
)
def test_both_sides_judge_computed_json_alike(tmp_path: Path, computed: bytes | None) -> None:
    rules = replace(DEFAULT_RULES, max_entries=10)
    folder, archive = tmp_path / "iexec_out", tmp_path / "iexec_out.zip"
    tree: Tree = {"r": b"x"} if computed is None else {"r": b"x", "computed.json": computed}
    folder.mkdir()
    write(tree, folder)
    verdicts: list[bytes | str] = []
    try:
        built = build_result(folder, archive, callback=False, added={}, rules=rules, check=lambda: None)
        verdicts.append(built.digest)
    except ResultDigestError as problem:
        verdicts.append(str(problem.cause))
    archive.write_bytes(naive_zip(tree))
    try:
        verdicts.append(archive_digest(archive, rules))
    except ArchiveRefused as refusal:
        verdicts.append(str(refusal.details["cause"]))
    assert verdicts[0] == verdicts[1]


@pytest.mark.parametrize("name", [b"bad\xff", b"\xed\xa0\x80"])
def test_names_that_are_not_utf_8_are_refused_before_they_reach_an_archive(
    tmp_path: Path, name: bytes
) -> None:
    folder = tmp_path / "iexec_out"
    folder.mkdir()
    write({"computed.json": b'{"deterministic-output-path": "/iexec_out"}'}, folder)
    (folder / os.fsdecode(name)).touch()
    assert workers_verdict(folder, tmp_path / "iexec_out.zip") == "RESULT_RULE_BROKEN"


@pytest.mark.parametrize("exit_code", [None, 3, 137])
def test_the_proxy_accepts_the_archive_of_an_error_result(tmp_path: Path, exit_code: int | None) -> None:
    folder = DiskTaskFolder(tmp_path / "task")
    folder.prepare_output()
    folder.stdout.write_text("the app's last words")
    cause = ReplicateStatusCause.APP_COMPUTE_FAILED
    report = ErrorReport(ReplicateStatus.COMPUTED, cause, "the app ended", exit_code)
    made = make_error_result(folder, report, callback=False)
    digest = archive_digest(folder.archive, DEFAULT_RULES)
    assert digest == error_digest(ReplicateStatus.COMPUTED, cause, exit_code, callback=False)
    assert made.digest == "0x" + digest.hex()
