"""The bounded buffer of an output stream."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workerpool_worker.domain.output_tail import MAX_TEXT_CHARACTERS, OMISSION_MARK, OutputTail


@pytest.fixture
def tail() -> OutputTail:
    return OutputTail()


@given(st.text(max_size=200), st.lists(st.integers(0, 800), max_size=20))
def test_characters_cut_between_two_calls_are_restored(text: str, cuts: list[int]) -> None:
    tail, data, drained = OutputTail(), text.encode(), ""
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    for begin, end in pairwise(edges):
        tail.add(data[begin:end])
        drained += tail.drain()
    assert drained == text


def test_text_is_drained_once(tail: OutputTail) -> None:
    tail.add(b"once")
    assert [tail.drain(), tail.drain()] == ["once", ""]


def test_invalid_bytes_are_replaced(tail: OutputTail) -> None:
    tail.add(b"a\xff\xfeb")
    assert tail.drain() == "a\ufffd\ufffdb"


@pytest.mark.parametrize("size", [1, 1_000, 3_000_000])
def test_only_the_newest_text_is_kept_in_bounded_memory(tail: OutputTail, size: int) -> None:
    for begin in range(0, 3_000_000, size):
        tail.add(b"x" * min(size, 3_000_000 - begin))
        assert tail._characters <= 2 * MAX_TEXT_CHARACTERS + size
        assert len(tail._parts) <= MAX_TEXT_CHARACTERS + 1
    tail.add(b"end")
    assert tail.drain() == OMISSION_MARK + "x" * (MAX_TEXT_CHARACTERS - 3) + "end"
    tail.add(b"next")
    assert tail.drain() == "next"


def test_a_gap_is_marked_once_and_where_it_is(tail: OutputTail) -> None:
    tail.add(b"before")
    tail.mark_gap()
    tail.mark_gap()
    tail.add(b"after")
    assert tail.drain() == f"before{OMISSION_MARK}after"
    tail.mark_gap()
    assert tail.drain() == ""


def test_a_character_cut_by_a_gap_does_not_damage_the_next(tail: OutputTail) -> None:
    tail.add("é".encode()[:1])
    tail.mark_gap()
    tail.add(b"after")
    assert tail.drain() == f"{OMISSION_MARK}after"
