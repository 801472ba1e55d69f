"""The codec against eth-abi, which serves as the reference implementation."""

import pytest
from eth_abi import abi as eth_abi
from hypothesis import given
from hypothesis import strategies as st
from workerpool_poco.protocol.encoding.abi_codec import AbiError, decode, encode, split_types
from workerpool_poco.protocol.ids import address

ADDRESSES = st.binary(min_size=20, max_size=20).map(address)
VALUES = {
    "uint256": st.integers(0, 2**256 - 1),
    "uint8": st.integers(0, 255),
    "bool": st.booleans(),
    "address": ADDRESSES,
    "bytes32": st.binary(min_size=32, max_size=32),
    "bytes": st.binary(max_size=100),
    "string": st.text(max_size=40),
}


def arguments_of(kind: str) -> st.SearchStrategy[object]:
    if kind.endswith("[]"):
        return st.lists(arguments_of(kind[:-2]), max_size=4).map(tuple)
    if kind.startswith("("):
        return st.tuples(*map(arguments_of, split_types(kind[1:-1])))
    return VALUES[kind]


KINDS = st.recursive(
    st.sampled_from(sorted(VALUES)),
    lambda inner: st.one_of(
        inner.map(lambda kind: f"{kind}[]"),
        st.lists(inner, min_size=1, max_size=4).map(lambda kinds: f"({','.join(kinds)})"),
    ),
    max_leaves=6,
)
TYPED = st.lists(KINDS, max_size=4).flatmap(
    lambda kinds: st.tuples(st.just(kinds), st.tuples(*map(arguments_of, kinds)))
)


def lowered(value: object) -> object:
    """Return a decoded value with addresses as eth-abi spells them."""
    if isinstance(value, tuple):
        return tuple(map(lowered, value))
    return value.lower() if isinstance(value, str) and value.startswith("0x") and len(value) == 42 else value


@given(TYPED)
def test_encoding_equals_that_of_eth_abi(typed: tuple[list[str], tuple[object, ...]]) -> None:
    kinds, values = typed
    assert encode(kinds, values) == eth_abi.encode(kinds, values)


@given(TYPED)
def test_decoding_returns_what_was_encoded(typed: tuple[list[str], tuple[object, ...]]) -> None:
    kinds, values = typed
    data = eth_abi.encode(kinds, values)
    assert decode(kinds, data) == values
    assert lowered(decode(kinds, data)) == lowered(eth_abi.decode(kinds, data))


@given(
    st.sampled_from(["(uint8,bytes32,address[])[]", "(bytes,string)", "uint256[][]"]), st.binary(max_size=320)
)
def test_any_bytes_decode_or_raise_abi_error(kind: str, data: bytes) -> None:
    """What decodes is what eth-abi decodes."""
    try:
        found = decode([kind], data)
    except AbiError:
        return
    assert lowered(found) == lowered(eth_abi.decode([kind], data, strict=False))


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("uint8", (256).to_bytes(32, "big")),
        ("bool", (2).to_bytes(32, "big")),
        ("address", b"\1" * 32),
        ("bytes4", b"\1" * 32),
        ("uint256", b"\0" * 31),
        ("bytes", (2**255).to_bytes(32, "big")),
        ("bytes", (32).to_bytes(32, "big") + (5).to_bytes(32, "big") + b"12345" + b"\1" * 27),
        ("uint256[]", (32).to_bytes(32, "big") + (2**200).to_bytes(32, "big")),
    ],
)
def test_malformed_encodings_are_refused(kind: str, data: bytes) -> None:
    with pytest.raises(AbiError):
        decode([kind], data)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("uint8", 256),
        ("uint256", -1),
        ("uint256", True),
        ("bool", 1),
        ("bytes32", b"short"),
        ("bytes32", "0x" + "00" * 32),
        ("bytes", "text"),
        ("string", b"bytes"),
        ("(uint8,uint8)", (1,)),
        ("uint8[]", 5),
    ],
)
def test_values_that_do_not_fit_are_refused(kind: str, value: object) -> None:
    with pytest.raises(AbiError):
        encode([kind], [value])


def test_text_that_is_not_utf_8_gets_replacement_characters() -> None:
    assert decode(["string"], encode(["bytes"], [b"a\xff"])) == ("a\ufffd",)


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(AbiError):
        encode(["function"], [b""])
