"""The encoding against the reference package."""

import pytest
import rlp as reference  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st
from workerpool_poco.protocol.encoding.rlp import Item, RlpError, decode_list, encode_list, integer

STRINGS = st.one_of(st.binary(max_size=3), st.binary(max_size=300))
ITEMS = st.lists(st.recursive(STRINGS, lambda items: st.lists(items, max_size=5), max_leaves=12), max_size=12)


@given(ITEMS)
def test_encoding_equals_the_reference_and_decodes_again(items: list[Item]) -> None:
    encoded = encode_list(items)
    assert encoded == reference.encode(items)
    assert decode_list(encoded) == items


@given(st.binary(max_size=80))
def test_any_bytes_decode_or_raise_rlp_error(data: bytes) -> None:
    try:
        decode_list(data)
    except RlpError:
        return


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80",
        b"\xc2\x01",
        b"\xc0\x00",
        b"\xc2\x83a",
        b"\xc4\xc1\x82ab",
        b"\xcc" + b"".join(bytes([0xC0 + size]) for size in range(11, -1, -1)),
    ],
)
def test_malformed_data_is_refused(data: bytes) -> None:
    with pytest.raises(RlpError):
        decode_list(data)


def test_integers_have_no_leading_zeros() -> None:
    assert [integer(value) for value in (0, 1, 255, 256)] == [b"", b"\1", b"\xff", b"\1\0"]
