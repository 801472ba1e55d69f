"""computed.json: each defect has its own sentence and the protocol's cause."""

import pytest
from workerpool_poco.protocol.result_archive.computed_file import (
    MAX_CALLBACK_BYTES,
    callback_data,
    find_computed,
    output_path,
    parse_computed,
)
from workerpool_poco.protocol.result_archive.rules import DEFAULT_RULES, Rule, RuleBroken
from workerpool_poco.protocol.result_archive.tree import FileNode, FolderNode, LinkNode, Node, SpecialNode
from workerpool_poco.protocol.results import (
    CallbackDataMissing,
    ComputedFileNotFound,
    OutputPathInvalid,
    ResultDigestError,
)
from workerpool_poco.protocol.statuses import ReplicateStatusCause

ODD_NODES = {
    "missing": None,
    "a folder": FolderNode(),
    "a fifo": SpecialNode("fifo"),
    "a socket": SpecialNode("socket"),
    "a link to nothing": LinkNode("nothing"),
    "a link that is not allowed": LinkNode("/etc/passwd"),
    "loop of links": LinkNode("computed.json"),
}
ODD_TEXTS = {
    "is empty": [b"", b" \n\t"],
    "is not JSON": [b"{", b"not json", b'{"a": }', b"\0" * 100, b'{"n": ' + b"1" * 5_000 + b"}"],
    "holds a list": [b"[]", b'[{"deterministic-output-path": "/iexec_out"}]'],
    "holds a text": [b'"x"'],
    "holds a number": [b"5", b"1.5"],
    "holds a boolean": [b"true"],
    "holds null": [b"null"],
    "is UTF-16": [
        '{"a": 1}'.encode("utf-16"),
        '{"a": 1}'.encode("utf-16-le"),
        '{"a": 1}'.encode("utf-16-be"),
    ],
    "is not UTF-8": [b'{"a": "\xff"}', b'{"a": "\xed\xa0\x80"}'],
}
ODD_PATHS = [
    ({}, "has no deterministic-output-path"),
    ({"deterministic-output-path": None}, "has no"),
    ({"deterministic-output-path": 5}, "must be a text"),
    ({"deterministic-output-path": ["/iexec_out"]}, "must be a text"),
    ({"deterministic-output-path": "/iexec_out/\ud800"}, "lone surrogate"),
    ({"deterministic-output-path": "/iexec_out/a\0b"}, "NUL character"),
    ({"deterministic-output-path": ""}, "must lie in /iexec_out"),
    ({"deterministic-output-path": "r"}, "must lie in /iexec_out"),
    ({"deterministic-output-path": "/etc/passwd"}, "must lie in /iexec_out"),
    ({"deterministic-output-path": "/iexec_out2/r"}, "must lie in /iexec_out"),
    ({"deterministic-output-path": "/iexec_out/../etc"}, "must not contain '..'"),
    ({"deterministic-output-path": "/iexec_out/a/../b"}, "must not contain '..'"),
]


def tree(node: Node | None) -> FolderNode:
    return FolderNode({} if node is None else {"computed.json": node})


@pytest.mark.parametrize("sentence", ODD_NODES, ids=lambda sentence: f"computed-odd: {sentence}")
def test_computed_json_must_be_a_file(sentence: str) -> None:
    with pytest.raises(ComputedFileNotFound, match=sentence) as caught:
        find_computed(tree(ODD_NODES[sentence]), DEFAULT_RULES)
    assert caught.value.cause is ReplicateStatusCause.POST_COMPUTE_COMPUTED_FILE_NOT_FOUND


def test_a_link_to_a_file_inside_is_followed() -> None:
    root = FolderNode({"computed.json": LinkNode("/iexec_out/real"), "real": FileNode(2)})
    assert find_computed(root, DEFAULT_RULES) == (("real",), FileNode(2))


@pytest.mark.parametrize(
    ("sentence", "content"),
    [(sentence, content) for sentence, contents in ODD_TEXTS.items() for content in contents],
    ids=lambda value: f"computed-odd: {ascii(value)[:40]}",
)
def test_computed_json_must_be_an_object_in_utf_8(sentence: str, content: bytes) -> None:
    with pytest.raises(ComputedFileNotFound, match=sentence) as caught:
        parse_computed(content, DEFAULT_RULES)
    assert caught.value.cause is ReplicateStatusCause.POST_COMPUTE_COMPUTED_FILE_NOT_FOUND


def test_a_byte_order_mark_of_utf_8_is_accepted() -> None:
    assert parse_computed(b'\xef\xbb\xbf{"a": 1}', DEFAULT_RULES) == {"a": 1}


@pytest.mark.parametrize(
    "content",
    [b"[" * 99_000, b'{"a":' * 99_000, b"[" * 65 + b"]" * 65, b'{"a":' + b"[" * 64 + b"]" * 64 + b"}"],
    ids=["computed-deep", "computed-deep: objects", "computed-deep: 65 lists", "computed-deep: mixed"],
)
def test_deep_json_is_refused_before_it_is_parsed(content: bytes) -> None:
    with pytest.raises(RuleBroken, match="deeper than 64 levels") as caught:
        parse_computed(content, DEFAULT_RULES)
    assert caught.value.rule is Rule.COMPUTED_FILE


def test_64_levels_and_brackets_in_texts_are_allowed() -> None:
    parse_computed(b'{"a":' + b"[" * 63 + b"]" * 63 + b"}", DEFAULT_RULES)
    parse_computed(b'{"a": "' + b"[" * 1_000 + b'\\""}', DEFAULT_RULES)


def test_a_large_file_is_refused_by_its_size() -> None:
    limit = DEFAULT_RULES.max_computed_bytes
    with pytest.raises(RuleBroken, match=f"has {limit + 1} bytes; the limit is {limit}") as caught:
        find_computed(tree(FileNode(limit + 1)), DEFAULT_RULES)
    assert caught.value.cause is ReplicateStatusCause.RESULT_RULE_BROKEN
    with pytest.raises(RuleBroken, match="is longer than"):
        parse_computed(b" " * (limit + 1), DEFAULT_RULES)


@pytest.mark.parametrize(("computed", "sentence"), ODD_PATHS, ids=lambda value: f"computed-odd: {value!a}")
def test_the_path_must_lie_in_the_output_folder(computed: dict[str, object], sentence: str) -> None:
    with pytest.raises(OutputPathInvalid, match=sentence) as caught:
        output_path(computed)
    assert caught.value.cause is ReplicateStatusCause.POST_COMPUTE_RESULT_DIGEST_COMPUTATION_FAILED
    str(caught.value).encode()


def test_every_defect_has_its_own_sentence() -> None:
    assert len({*ODD_NODES, *ODD_TEXTS, *(sentence for _, sentence in ODD_PATHS)}) >= 20


@pytest.mark.parametrize("path", ["/iexec_out", "/iexec_out/", "/iexec_out/a/b", "/iexec_out/..a"])
def test_paths_inside_are_kept(path: str) -> None:
    assert output_path({"deterministic-output-path": path}) == path


@pytest.mark.parametrize("data", [None, "", "0x", "hello", 5, "0x" + "00" * (MAX_CALLBACK_BYTES + 1)])
def test_a_callback_task_needs_callback_data(data: object) -> None:
    with pytest.raises(CallbackDataMissing) as caught:
        callback_data({"callback-data": data})
    assert isinstance(caught.value, ResultDigestError)


@pytest.mark.parametrize("text", ["0x00ff", "00FF", "0X00ff"])
def test_callback_data_is_read_as_hexadecimal(text: str) -> None:
    assert callback_data({"callback-data": text}) == b"\0\xff"
