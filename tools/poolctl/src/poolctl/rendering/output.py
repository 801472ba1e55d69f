"""Printing a document as a table for people, or as JSON or YAML for programs."""

import json
import sys
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_PIPED_WIDTH = 200
"""Columns of a table that no terminal shows: wide enough for whole ids."""


class Output(StrEnum):
    """The forms of a document."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


View = Callable[[Any], Iterable["RenderableType"]]
"""Returns what a table form shows of a document."""


def show(document: Any, view: View, output: Output, stream: IO[str] | None = None) -> None:
    """Print a document; `view` is used for the table form only."""
    stream = stream or sys.stdout
    if output is Output.TABLE:
        out = console(stream)
        for part in view(document):
            out.print(part)
    else:
        stream.write(text_of(document, output))
        stream.flush()


def text_of(document: Any, output: Output) -> str:
    """Return a document as JSON or YAML text, with its last newline."""
    if output is Output.YAML:
        import yaml

        return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=_PIPED_WIDTH)
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def line_of(document: Any, output: Output) -> str:
    """Return one document of a stream of them: a JSON line, or a YAML document with its marker."""
    if output is Output.YAML:
        return "---\n" + text_of(document, output)
    return json.dumps(document, ensure_ascii=False) + "\n"


def console(stream: IO[str] | None = None) -> "Console":
    """Return a console that writes plain text where no terminal reads it, and obeys NO_COLOR."""
    from rich.console import Console

    stream = stream or sys.stdout
    width = None if stream.isatty() else _PIPED_WIDTH
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False, soft_wrap=False)
