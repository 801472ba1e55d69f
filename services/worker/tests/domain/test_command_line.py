"""Splitting of command lines."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workerpool_worker.domain.command_line import split


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("", []),
        ("   ", []),
        ("a b\tc\nd", ["a", "b", "c", "d"]),
        ("""'a b' "c d" e""", ["a b", "c d", "e"]),
        ("""a'b c'd""", ["ab cd"]),
        ("""'' "" x""", ["", "", "x"]),
        (r'''"say \"hi\" \n"''', [r'say "hi" \n']),
        (r"a\ b", ["a b"]),
        ("'never closed", ["never closed"]),
        ("trailing\\", ["trailing\\"]),
        ("$HOME `id` *", ["$HOME", "`id`", "*"]),
    ],
)
def test_a_command_line_is_split_without_expansion(text: str, arguments: list[str]) -> None:
    assert split(text) == arguments


@given(st.lists(st.text(), max_size=8))
def test_arguments_quoted_for_a_shell_are_restored(arguments: list[str]) -> None:
    assert split(" ".join(shlex.quote(argument) for argument in arguments)) == arguments


@given(st.text())
def test_every_text_is_accepted(text: str) -> None:
    split(text)
