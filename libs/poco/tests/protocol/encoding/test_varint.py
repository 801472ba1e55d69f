"""Varints of the multiformats."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workerpool_poco.protocol.encoding.varint import read_varint, write_varint


@pytest.mark.parametrize(
    ("number", "raw"),
    [(0, "00"), (1, "01"), (127, "7f"), (128, "8001"), (255, "ff01"), (421, "a503"), (16_384, "808001")],
)
def test_known_varints(number: int, raw: str) -> None:
    assert write_varint(number).hex() == raw
    assert read_varint(bytes.fromhex(raw)) == (number, len(raw) // 2)


@given(st.integers(0, (1 << 63) - 1), st.binary(max_size=3), st.binary(max_size=3))
def test_a_number_returns_from_any_place(number: int, before: bytes, after: bytes) -> None:
    raw = before + write_varint(number) + after
    assert read_varint(raw, len(before)) == (number, len(raw) - len(after))


@pytest.mark.parametrize("raw", ["", "80", "ff" * 9, "80" * 9 + "01", "8000", "ff8000"])
def test_a_varint_without_an_end_or_with_zeros_is_refused(raw: str) -> None:
    with pytest.raises(ValueError, match="the varint"):
        read_varint(bytes.fromhex(raw))


@pytest.mark.parametrize("number", [-1, 1 << 63])
def test_a_number_out_of_range_has_no_varint(number: int) -> None:
    with pytest.raises(ValueError, match="has no varint"):
        write_varint(number)
