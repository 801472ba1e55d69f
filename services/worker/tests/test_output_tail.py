"""What is kept of an output stream until it is told: the newest text, and a word about what had to go."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workerpool_worker.domain.output_tail import LEFT_OUT, LONGEST_TEXT, OutputTail


@pytest.fixture
def tail():
    return OutputTail()


@given(st.text(max_size=200), st.lists(st.integers(0, 800), max_size=20))
def test_text_is_whole_wherever_its_bytes_were_cut(text, cuts):
    tail, data, taken = OutputTail(), text.encode(), ""
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    for begin, end in pairwise(edges):
        tail.add(data[begin:end])
        taken += tail.take()
    assert taken == text


def test_what_was_taken_is_gone(tail):
    tail.add(b"once")
    assert [tail.take(), tail.take()] == ["once", ""]


def test_bytes_that_are_no_text_are_replaced(tail):
    tail.add(b"a\xff\xfeb")
    assert tail.take() == "a\ufffd\ufffdb"


@pytest.mark.parametrize("size", [1, 1_000, 3_000_000])
def test_only_the_newest_is_kept_in_pieces_of_any_size(tail, size):
    for begin in range(0, 3_000_000, size):
        tail.add(b"x" * min(size, 3_000_000 - begin))
        assert tail._characters <= 2 * LONGEST_TEXT + size
        assert len(tail._parts) <= LONGEST_TEXT + 1
    tail.add(b"end")
    assert tail.take() == LEFT_OUT + "x" * (LONGEST_TEXT - 3) + "end"
    tail.add(b"next")
    assert tail.take() == "next"


def test_a_gap_is_marked_where_it_is_and_once(tail):
    tail.add(b"before")
    tail.skip()
    tail.skip()
    tail.add(b"after")
    assert tail.take() == f"before{LEFT_OUT}after"
    tail.skip()
    assert tail.take() == ""


def test_a_character_that_is_cut_by_a_gap_does_not_spoil_what_follows(tail):
    tail.add("é".encode()[:1])
    tail.skip()
    tail.add(b"after")
    assert tail.take() == f"{LEFT_OUT}after"
