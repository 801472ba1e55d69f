"""What is kept of an output stream until it is told: the newest text, and a word about what had to go."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workerpool_worker.domain.output_tail import MAX_TEXT_CHARACTERS, OMISSION_MARK, OutputTail


@pytest.fixture
def tail():
    return OutputTail()


@given(st.text(max_size=200), st.lists(st.integers(0, 800), max_size=20))
def test_text_is_whole_wherever_its_bytes_were_cut(text, cuts):
    tail, data, taken = OutputTail(), text.encode(), ""
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    for begin, end in pairwise(edges):
        tail.add(data[begin:end])
        taken += tail.drain()
    assert taken == text


def test_what_was_taken_is_gone(tail):
    tail.add(b"once")
    assert [tail.drain(), tail.drain()] == ["once", ""]


def test_bytes_that_are_no_text_are_replaced(tail):
    tail.add(b"a\xff\xfeb")
    assert tail.drain() == "a\ufffd\ufffdb"


@pytest.mark.parametrize("size", [1, 1_000, 3_000_000])
def test_only_the_newest_is_kept_in_pieces_of_any_size(tail, size):
    for begin in range(0, 3_000_000, size):
        tail.add(b"x" * min(size, 3_000_000 - begin))
        assert tail._characters <= 2 * MAX_TEXT_CHARACTERS + size
        assert len(tail._parts) <= MAX_TEXT_CHARACTERS + 1
    tail.add(b"end")
    assert tail.drain() == OMISSION_MARK + "x" * (MAX_TEXT_CHARACTERS - 3) + "end"
    tail.add(b"next")
    assert tail.drain() == "next"


def test_a_gap_is_marked_where_it_is_and_once(tail):
    tail.add(b"before")
    tail.mark_gap()
    tail.mark_gap()
    tail.add(b"after")
    assert tail.drain() == f"before{OMISSION_MARK}after"
    tail.mark_gap()
    assert tail.drain() == ""


def test_a_character_that_is_cut_by_a_gap_does_not_spoil_what_follows(tail):
    tail.add("é".encode()[:1])
    tail.mark_gap()
    tail.add(b"after")
    assert tail.drain() == f"{OMISSION_MARK}after"
