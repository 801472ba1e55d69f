"""Tables of text: every cell is data of others, so no cell is read as markup or reaches the terminal raw."""

from collections.abc import Iterable, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text
from workerpool_kit.text.printable import printable

_STYLES = {
    "problem": "bold red",
    "warning": "yellow",
    "ok": "green",
    "skipped": "dim",
    "FAILED": "red",
    "FAILURE": "red",
    "COMPLETED": "green",
    "SUCCESS": "green",
    "RUNNING": "cyan",
    "PROCESSING": "cyan",
}


def cell(value: Any, style: str = "") -> Text:
    """Return a value as a cell; known words have a colour, unless a style is given."""
    text = "" if value is None else ("yes" if value is True else "no" if value is False else str(value))
    return Text(printable(text), style=style or _STYLES.get(text, ""))


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, numbers: Iterable[str] = ()) -> Table:
    """Return rows under headings; the columns in `numbers` are aligned to the right."""
    right = set(numbers)
    drawn = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in columns:
        drawn.add_column(name, justify="right" if name in right else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(each if isinstance(each, Text) else cell(each) for each in row))
    return drawn


def pairs(rows: Iterable[tuple[str, Any]]) -> Table:
    """Return names with their values, one a line; rows whose value is empty are left out."""
    drawn = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    drawn.add_column(style="bold", no_wrap=True)
    drawn.add_column(overflow="fold")
    for name, value in rows:
        if value not in (None, "", [], {}):
            drawn.add_row(name, value if isinstance(value, Text) else cell(value))
    return drawn


def note(text: str, style: str = "dim") -> Text:
    """Return a remark below a table."""
    return Text(printable(text), style=style)
