"""computed.json, in which an application names its result: every defect has its own sentence (worker spec A.8)."""

import codecs
from collections.abc import Mapping
from typing import Any

from workerpool_poco.errors import InvalidId
from workerpool_poco.protocol.encoding.json_text import JsonRefused, loads_bounded
from workerpool_poco.protocol.ids import from_hex
from workerpool_poco.protocol.result_archive.names import shown
from workerpool_poco.protocol.result_archive.rules import ArchiveRules, Rule, RuleBroken
from workerpool_poco.protocol.result_archive.tree import (
    FileNode,
    FolderNode,
    PathMissing,
    PathUnresolved,
    TreePath,
    resolve,
)
from workerpool_poco.protocol.results import (
    COMPUTED_FILE,
    IEXEC_OUT,
    CallbackDataMissing,
    ComputedFileNotFound,
    OutputPathInvalid,
)

MAX_CALLBACK_BYTES = 32 << 10
"""Longest callback data. It is the scheduler's limit; the gas of a callback covers far less."""

_PATH_KEY = "deterministic-output-path"
_JSON_KINDS = {list: "a list", str: "a text", bool: "a boolean", int: "a number", float: "a number"}


def find_computed(root: FolderNode, rules: ArchiveRules) -> tuple[TreePath, FileNode]:
    """Return the path without links and the node of computed.json.

    A file that is too large is refused by its size, before it is read. Raises `ComputedFileNotFound` or `RuleBroken`.
    """
    try:
        path, node = resolve(root, (), COMPUTED_FILE)
    except PathMissing as problem:
        if COMPUTED_FILE in root.children:
            raise ComputedFileNotFound(f"{COMPUTED_FILE} is a link to nothing") from problem
        raise ComputedFileNotFound(
            f"{COMPUTED_FILE} is missing; the application must write {IEXEC_OUT}/{COMPUTED_FILE}"
        ) from problem
    except PathUnresolved as problem:
        raise ComputedFileNotFound(f"{COMPUTED_FILE} is a link that is not allowed: {problem}") from problem
    if isinstance(node, FolderNode):
        raise ComputedFileNotFound(f"{COMPUTED_FILE} is a folder, not a file")
    if not isinstance(node, FileNode):
        raise ComputedFileNotFound(f"{COMPUTED_FILE} is a {node.kind}, not a file")
    if node.size > rules.max_computed_bytes:
        raise RuleBroken(
            Rule.COMPUTED_FILE,
            f"{COMPUTED_FILE} has {node.size} bytes; the limit is {rules.max_computed_bytes}",
        )
    return path, node


def parse_computed(content: bytes, rules: ArchiveRules) -> dict[str, Any]:
    """Return the object in a `computed.json`. Raises `ComputedFileNotFound` or `RuleBroken`."""
    if len(content) > rules.max_computed_bytes:
        raise RuleBroken(
            Rule.COMPUTED_FILE, f"{COMPUTED_FILE} is longer than {rules.max_computed_bytes} bytes"
        )
    if not content.strip():
        raise ComputedFileNotFound(f"{COMPUTED_FILE} is empty")
    text = _decode(content)
    try:
        computed = loads_bounded(text, max_bytes=None, max_depth=rules.max_computed_depth)
    except JsonRefused as problem:
        raise RuleBroken(
            Rule.COMPUTED_FILE, f"{COMPUTED_FILE} is nested deeper than {rules.max_computed_depth} levels"
        ) from problem
    except ValueError as problem:
        raise ComputedFileNotFound(f"{COMPUTED_FILE} is not JSON: {problem}") from problem
    if not isinstance(computed, dict):
        kind = _JSON_KINDS.get(type(computed), "null")
        raise ComputedFileNotFound(f"{COMPUTED_FILE} holds {kind}, not a JSON object")
    return computed


def callback_data(computed: Mapping[str, Any]) -> bytes:
    """Return the bytes for the callback contract; raises `CallbackDataMissing`."""
    text = computed.get("callback-data")
    if not isinstance(text, str):
        raise CallbackDataMissing(f"the deal has a callback, but {COMPUTED_FILE} has no text callback-data")
    try:
        data = from_hex(text)
    except InvalidId as problem:
        raise CallbackDataMissing("callback-data must be hexadecimal, such as 0x00ff") from problem
    if not data:
        raise CallbackDataMissing("callback-data is empty")
    if len(data) > MAX_CALLBACK_BYTES:
        raise CallbackDataMissing(f"callback-data has {len(data)} bytes; the limit is {MAX_CALLBACK_BYTES}")
    return data


def output_path(computed: Mapping[str, Any]) -> str:
    """Return `deterministic-output-path`, which lies in `/iexec_out`. Raises `OutputPathInvalid`.

    A path with `..` is refused: its meaning would change when links become files in the archive.
    """
    text = computed.get(_PATH_KEY)
    if text is None:
        raise OutputPathInvalid(f"{COMPUTED_FILE} has no {_PATH_KEY}")
    if not isinstance(text, str):
        raise OutputPathInvalid(f"{_PATH_KEY} must be a text")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise OutputPathInvalid(f"{_PATH_KEY} has a lone surrogate, which no file name has") from None
    if "\0" in text:
        raise OutputPathInvalid(f"{_PATH_KEY} has a NUL character, which no file name has")
    if text != IEXEC_OUT and not text.startswith(IEXEC_OUT + "/"):
        raise OutputPathInvalid(f"{_PATH_KEY} must lie in {IEXEC_OUT}, which {shown(text)} does not")
    if ".." in text.split("/"):
        raise OutputPathInvalid(f"{_PATH_KEY} must not contain '..', unlike {shown(text)}")
    return text


def _decode(content: bytes) -> str:
    one_nul = len(content) > 1 and (content[0] == 0) != (content[1] == 0)
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or one_nul:
        raise ComputedFileNotFound(f"{COMPUTED_FILE} is UTF-16 text; it must be UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise ComputedFileNotFound(f"{COMPUTED_FILE} is not UTF-8 text") from problem
