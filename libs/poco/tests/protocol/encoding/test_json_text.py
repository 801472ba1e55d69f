import json
import subprocess
import sys
import time
from typing import Any

import pytest
from patience import PATIENCE_S
from workerpool_poco.protocol.encoding.json_text import MAX_DEPTH, JsonRefused, loads_bounded

_DEEP = "[" * 99_000


def _nested(depth: int) -> str:
    return "[" * depth + "]" * depth


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"deterministic-output-path": "/iexec_out"},
        [[1, 2.5, None, True], {"a": [{"b": "c"}]}],
        {f"key {number}": [number] for number in range(500)},
        {"text": "[[[{{{" * 200},
        ['"', "\\", '\\"[', "[" * 200],
        10**80,
        "\ud800",
    ],
)
def test_a_text_within_the_limits_decodes_as_json_does(value: Any) -> None:
    text = json.dumps(value)
    assert loads_bounded(text) == value
    for encoding in ("utf-8", "utf-16", "utf-32"):
        assert loads_bounded(text.encode(encoding)) == value


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(_DEEP, id="computed-deep"),
        pytest.param('{"a":' * 99_000, id="computed-deep-objects"),
        pytest.param('[{"a":' * 49_000, id="computed-deep-mixed"),
        pytest.param(_nested(99_000), id="computed-deep-closed"),
        pytest.param(_nested(MAX_DEPTH + 1), id="one-level-more"),
        pytest.param('["]",' * 200, id="closing-bracket-in-a-string"),
        pytest.param('["\\"]",' * 200, id="escaped-quote-before-a-closing-bracket"),
    ],
)
def test_a_deep_text_is_refused(text: str) -> None:
    for content in (text, text.encode(), text.encode("utf-16"), text.encode("utf-32")):
        with pytest.raises(JsonRefused, match="levels deep"):
            loads_bounded(content, max_bytes=None)


def test_the_deepest_allowed_text_decodes() -> None:
    assert json.dumps(loads_bounded(_nested(MAX_DEPTH))) == _nested(MAX_DEPTH)


def test_a_large_text_is_refused_unless_the_caller_sets_no_limit() -> None:
    text = " " * 2_000_000 + "1"
    with pytest.raises(JsonRefused, match="at most"):
        loads_bounded(text)
    assert loads_bounded(text, max_bytes=None) == 1


@pytest.mark.parametrize("content", ["", "{", "[1", b"\xff\xff", "]", '"', "[" * 10])
def test_a_text_that_is_no_json_raises_value_error(content: str | bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        loads_bounded(content)


@pytest.mark.parametrize("unit", ['"\\', "\\", '"', '\\"', "[]", '"["', "a", '{"'])
def test_the_check_takes_linear_time(unit: str) -> None:
    text = '["' + unit * (500_000 // len(unit)) + "[" * 100
    started = time.process_time()
    with pytest.raises(ValueError):  # noqa: PT011
        loads_bounded(text)
    assert time.process_time() - started < 2


def test_a_deep_text_cannot_end_a_process_whose_recursion_limit_was_raised() -> None:
    code = (
        "import sys; sys.setrecursionlimit(100_000)\n"
        "from workerpool_poco.protocol.encoding.json_text import JsonRefused, loads_bounded\n"
        "try: loads_bounded('[' * 99_000)\n"
        "except JsonRefused: print('refused')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "refused"), done.stderr
