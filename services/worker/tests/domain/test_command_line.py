"""Splitting of command lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workerpool_worker.domain.command_line import split


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ('{"a":"b c"}', ["{a:b c}"]),
        (r"--re \d+\.txt", ["--re", r"\d+\.txt"]),
        ("'' x", ["x"]),
        ("a\tb", ["a\tb"]),
        ('"open', []),
        (r"C:\dir\f", [r"C:\dir\f"]),
        ("one  two", ["one", "two"]),
        ("", []),
    ],
)
def test_the_cases_of_the_protocols_workers(text: str, arguments: list[str]) -> None:
    assert split(text) == arguments


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("   ", []),
        (" a ", ["a"]),
        ("a\nb c", ["a\nb", "c"]),
        ("""'a b' "c d" e""", ["a b", "c d", "e"]),
        ("""a'b c'd""", ["ab cd"]),
        (""" "it's" 'a "b" c' """, ["it's", 'a "b" c']),
        ("""x "" '' y""", ["x", "y"]),
        (r'"say \"hi\""', ["say \\hi\\"]),
        ("a b 'open", []),
        ("trailing\\", ["trailing\\"]),
        ("$HOME `id` *", ["$HOME", "`id`", "*"]),
    ],
)
def test_a_command_line_is_split_without_expansion(text: str, arguments: list[str]) -> None:
    assert split(text) == arguments


@given(st.lists(st.text(st.characters(exclude_characters='"'), min_size=1), max_size=8))
def test_grouped_arguments_are_restored(arguments: list[str]) -> None:
    assert split(" ".join(f'"{argument}"' for argument in arguments)) == arguments


@given(st.text())
def test_every_text_is_accepted(text: str) -> None:
    split(text)
