"""Text of others on a terminal."""

import pytest
from workerpool_kit.text.printable import printable, printable_block


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("   plain, with é and …", "   plain, with é and …"),
        ("two\nlines\r\tand more", "two lines  and more"),
        ("\x1b[2Jgone", "\\x1b[2Jgone"),
        ("\x9b2J\x00", "\\x9b2J\\x00"),
        ("right \u202eto left", "right \\x202eto left"),
    ],
)
def test_a_text_of_others_is_one_line_that_steers_no_terminal(given: str, shown: str) -> None:
    assert printable(given) == shown


def test_a_block_keeps_its_lines_and_tabs() -> None:
    assert printable_block("one\ttab\ntwo\r\x1b]0;title\x07") == "one\ttab\ntwo\\x0d\\x1b]0;title\\x07"
