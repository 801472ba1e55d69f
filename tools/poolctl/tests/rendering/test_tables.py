"""Tables of text that others wrote."""

import io
import re

import pytest
from poolctl.rendering.tables import cell, note, pairs, table
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .shown import shown


def test_a_cell_shows_any_value_as_safe_text() -> None:
    assert [cell(each).plain for each in (None, True, False, 7, "\x1b[1m[red]x[/red]")] == [
        "",
        "yes",
        "no",
        "7",
        "\\x1b[1m[red]x[/red]",
    ]


def test_rows_are_aligned_with_their_headings() -> None:
    text = shown([table(("NAME", "COUNT"), [("one", 1), ("twelve", 12)], numbers=("COUNT",))])
    lines = [line.rstrip() for line in text.splitlines()]
    assert lines == ["NAME    COUNT", "one         1", "twelve     12"]


def test_pairs_leave_out_what_is_empty() -> None:
    text = shown([pairs([("name", "x"), ("empty", ""), ("zero", 0)])])
    assert [line.split() for line in text.splitlines()] == [["name", "x"], ["zero", "0"]]


def test_a_note_cannot_control_the_terminal() -> None:
    assert note("a\x1b[2J").plain == "a\\x1b[2J"


@pytest.mark.parametrize("width", [10, 20, 80, 200])
def test_a_table_looks_as_rich_lays_it_out_whether_it_fits_or_not(width: int) -> None:
    rows = [("0x1f", "FAILED", 12), ("bébé 漢字", None, 3), ("two\nlines", Text("x y", style="red"), "")]
    usual = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in ("NAME", "STATE", "N"):
        usual.add_column(name, justify="right" if name == "N" else "left", overflow="fold")
    for count in range(len(rows) + 1):
        shown = table(("NAME", "STATE", "N"), rows[:count], numbers=("N",))
        assert _drawn(shown, width) == _drawn(usual, width)
        for row in rows[count : count + 1]:
            usual.add_row(*(each if isinstance(each, Text) else cell(each) for each in row))


def _drawn(shown: Table, width: int) -> str:
    file = io.StringIO()
    Console(file=file, width=width, force_terminal=True, no_color=True, highlight=False).print(shown)
    return re.sub("\x1b\\[[0-9;]*m", "", file.getvalue())
