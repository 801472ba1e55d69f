"""Names of files and folders in a result."""

import pytest
from workerpool_poco.protocol.result_archive.names import check_name, shown
from workerpool_poco.protocol.result_archive.rules import (
    DEFAULT_RULES,
    MAX_FILE_NAME_CHARACTERS,
    FileNameTooLong,
    Rule,
    RuleBroken,
)
from workerpool_poco.protocol.statuses import ReplicateStatusCause


def checked(name: str, *, is_file: bool = True, at_top: bool = False) -> int:
    return check_name(name, DEFAULT_RULES, is_file=is_file, at_top=at_top)


@pytest.mark.parametrize("name", ["r", "a b", "ünï.txt", "日本", "C:", "..a", "-", "n" * 31, "é" * 31])
def test_usual_names_are_allowed(name: str) -> None:
    assert checked(name) == len(name.encode())


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a/b", "a\\b", "..\\x", "a\0b", "a\nb", "\x1b[2J", "\x7f", "\x85", "\udcff"],
    ids=ascii,
)
@pytest.mark.parametrize("is_file", [True, False])
def test_names_that_some_reader_cannot_create_are_refused(name: str, is_file: bool) -> None:
    with pytest.raises(RuleBroken) as caught:
        checked(name, is_file=is_file)
    assert caught.value.rule is Rule.NAME
    assert caught.value.cause is ReplicateStatusCause.RESULT_RULE_BROKEN
    str(caught.value).encode()


def test_a_drive_is_refused_at_the_top_only() -> None:
    with pytest.raises(RuleBroken):
        checked("C:", at_top=True)


@pytest.mark.parametrize(
    "name", ["a" * 32, "é" * 32], ids=["archive-name-32", "archive-name-32 of two bytes"]
)
def test_file_names_of_32_characters_have_the_protocols_cause(name: str) -> None:
    with pytest.raises(FileNameTooLong, match="32 characters") as caught:
        checked(name)
    assert caught.value.cause is ReplicateStatusCause.POST_COMPUTE_TOO_LONG_RESULT_FILE_NAME
    assert checked(name, is_file=False)


@pytest.mark.parametrize("name", ["d" * 256, "é" * 128])
def test_folder_names_are_limited_in_bytes(name: str) -> None:
    with pytest.raises(RuleBroken, match="256 bytes; the limit is 255"):
        checked(name, is_file=False)
    assert len(name) > MAX_FILE_NAME_CHARACTERS


def test_long_names_are_shortened_in_messages() -> None:
    assert shown("x" * 100) == "'" + "x" * 80 + "'…"
    assert shown("\udcff") == r"'\udcff'"
