"""Tables of text that others wrote."""

from poolctl.rendering.tables import cell, note, pairs, table

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
