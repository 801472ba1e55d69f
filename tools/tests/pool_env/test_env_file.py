"""Lines of .env are read as Docker Compose reads them."""

import pytest
from pool_env.env_file import EnvFileError, parse


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("NAME=value", "value"),
        ("  NAME = value  ", "value"),
        ("export NAME=value", "value"),
        ("NAME=", ""),
        ("NAME=a#b", "a#b"),
        ("NAME=a # b", "a"),
        ("NAME= # nothing", ""),
        ("NAME='a # b' # c", "a # b"),
        ('NAME="a\'b"', "a'b"),
        ("NAME=a=b", "a=b"),
    ],
)
def test_a_line_is_read(line: str, value: str) -> None:
    assert parse(f"# a comment\n\n{line}\n") == {"NAME": value}


def test_a_later_line_replaces_an_earlier_one() -> None:
    assert parse("A=1\nB=2\nA=3\n") == {"A": "3", "B": "2"}


@pytest.mark.parametrize("line", ["no assignment", "1A=b", "A='b", "=b"])
def test_a_malformed_line_is_named(line: str) -> None:
    with pytest.raises(EnvFileError, match="line 2: "):
        parse(f"A=1\n{line}\n")
