"""Tables of text: every cell is data of others, so no cell is read as markup or reaches the terminal raw."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
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


_GAP = 2
"""Spaces between two columns."""


class _Table(Table):
    """Writes each row at once where every cell fits: rich lays out each cell on its own, which takes 0.4 ms a row."""

    def __init__(
        self, columns: Sequence[str], rows: Sequence[Sequence[Text]], right: Collection[str]
    ) -> None:
        super().__init__(box=None, pad_edge=False, header_style="bold", padding=(0, _GAP, 0, 0))
        self._lines = [[Text(name, style="bold") for name in columns], *rows]
        self._right = [name in right for name in columns]
        for name in columns:
            self.add_column(name, justify="right" if name in right else "left", overflow="fold")
        for row in rows:
            self.add_row(*row)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the segments of the table."""
        widths = [max(each.cell_len for each in column) for column in zip(*self._lines, strict=True)]
        fits = sum(widths) + _GAP * (len(widths) - 1) <= options.max_width
        if not fits or any("\n" in each.plain for line in self._lines for each in line):
            yield from super().__rich_console__(console, options)
            return
        for line in self._lines:
            yield from self._segments(console, line, widths)

    def _segments(self, console: Console, line: Sequence[Text], widths: Sequence[int]) -> Iterator[Segment]:
        last = len(line) - 1
        for place, (each, width, right) in enumerate(zip(line, widths, self._right, strict=True)):
            space = " " * (width - each.cell_len)
            gap = "" if place == last else " " * _GAP
            if right:
                yield Segment(space)
            yield from each.render(console)
            yield Segment(gap if right else space + gap)
        yield Segment.line()


def cell(value: Any, style: str = "") -> Text:
    """Return a value as a cell; known words have a colour, unless a style is given."""
    text = "" if value is None else ("yes" if value is True else "no" if value is False else str(value))
    return Text(printable(text), style=style or _STYLES.get(text, ""))


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, numbers: Iterable[str] = ()) -> Table:
    """Return rows under headings; the columns in `numbers` are aligned to the right."""
    cells = [[each if isinstance(each, Text) else cell(each) for each in row] for row in rows]
    return _Table(columns, cells, set(numbers))


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
