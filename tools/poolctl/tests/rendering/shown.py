"""What a view prints."""

import io
from collections.abc import Iterable
from typing import Any

from poolctl.rendering.output import console


def shown(parts: Iterable[Any]) -> str:
    """Return the text of a view, as a pipe gets it."""
    stream = io.StringIO()
    out = console(stream)
    for part in parts:
        out.print(part)
    return stream.getvalue()
