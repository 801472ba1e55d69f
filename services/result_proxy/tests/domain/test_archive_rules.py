"""Every rule that workers apply has a refusal of the proxy."""

import zipfile
from dataclasses import replace

import pytest
from workerpool_kit.errors import Kind
from workerpool_poco.protocol.result_archive.rules import DEFAULT_RULES, FileNameTooLong, Rule, RuleBroken
from workerpool_poco.protocol.result_archive.tree import FileNode, FolderNode
from workerpool_result_proxy import errors
from workerpool_result_proxy.domain.archive_rules import check_entries, refusal_of


def info(name: str, size: int = 0) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.file_size = size
    return entry


@pytest.mark.parametrize("rule", Rule)
def test_every_rule_has_a_refusal_that_tells_the_cause(rule: Rule) -> None:
    refusal = refusal_of(RuleBroken(rule, "what happened"))
    assert isinstance(refusal, errors.ArchiveRefused)
    assert (refusal.kind, refusal.message) == (Kind.INVALID, "what happened")
    assert refusal.details == {"cause": "RESULT_RULE_BROKEN"}


def test_a_long_file_name_keeps_the_protocols_cause() -> None:
    assert refusal_of(FileNameTooLong("")).details == {"cause": "POST_COMPUTE_TOO_LONG_RESULT_FILE_NAME"}


def test_folders_without_an_entry_are_part_of_the_tree() -> None:
    checked = check_entries([info("a/b/c", 5), info("a/d/")], DEFAULT_RULES)
    assert checked.root == FolderNode(
        {"a": FolderNode({"b": FolderNode({"c": FileNode(5)}), "d": FolderNode()})}
    )
    assert [entry.filename for entry in checked.files.values()] == ["a/b/c"]


@pytest.mark.parametrize(
    ("names", "error"),
    [
        (["a/b/c/d/e"], errors.ArchiveBomb),
        (["1", "2", "3", "4", "5"], errors.ArchiveBomb),
        (["a/b/c/"], errors.ArchiveUnsafePath),
        (["a/b/c/d"], errors.ArchiveUnsafePath),
        (["a", "a/b"], errors.ArchiveDuplicateName),
    ],
)
def test_implicit_folders_count(names: list[str], error: type[Exception]) -> None:
    rules = replace(DEFAULT_RULES, max_entries=4, max_depth=2 if error is errors.ArchiveUnsafePath else 9)
    with pytest.raises(error):
        check_entries([info(name) for name in names], rules)
