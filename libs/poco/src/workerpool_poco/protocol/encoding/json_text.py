"""JSON texts of other parties (deals, apps, nodes, callers), decoded within limits.

Python's decoder recurses in C for each level. A library that raises the recursion limit (py_ecc sets 100,000) makes a
deep text overflow the stack and end the process, so the depth is checked before the text is decoded.
"""

import json
import re
from typing import Any

MAX_BYTES = 1 << 20
"""Size limit of a text, in bytes (1 MiB)."""
MAX_DEPTH = 64
"""Limit of nested arrays and objects."""

_ALL_BUT_BRACKETS = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[^\[\]{}"]++', re.DOTALL)
_OPENING = "[{"


class JsonRefused(ValueError):
    """A text is too large or nested too deeply to be decoded."""


def loads_bounded(
    content: str | bytes, *, max_bytes: int | None = MAX_BYTES, max_depth: int = MAX_DEPTH
) -> Any:
    """Return the value of a JSON text. Takes time linear in its length.

    Raises JsonRefused for a text beyond a limit, ValueError for a text that is no JSON.

    Args:
        content: the text, or its bytes in UTF-8, UTF-16 or UTF-32.
        max_bytes: size limit in bytes, for a `str` in characters; None for no limit.
        max_depth: limit of nested arrays and objects.
    """
    if max_bytes is not None and len(content) > max_bytes:
        raise JsonRefused(f"the JSON text has {len(content)} bytes; at most {max_bytes} are allowed")
    text = (
        content
        if isinstance(content, str)
        else content.decode(json.detect_encoding(content), "surrogatepass")
    )
    # A text with few brackets cannot be deep; counting them is much faster than finding their nesting.
    if text.count("[") + text.count("{") > max_depth and _depth(text) > max_depth:
        raise JsonRefused(f"the JSON text is nested more than {max_depth} levels deep")
    return json.loads(text)


def _depth(text: str) -> int:
    """Return the deepest nesting of brackets outside of strings."""
    deepest = depth = 0
    for bracket in _ALL_BUT_BRACKETS.sub("", text):
        if bracket in _OPENING:
            depth += 1
            deepest = max(deepest, depth)
        else:
            depth -= 1
    return deepest
