"""Text forms of binary ids."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workerpool_poco.protocol.encoding import multibase

BYTES = st.binary(max_size=60)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"yes mani !", "f796573206d616e692021"),
        (b"yes mani !", "F796573206D616E692021"),
        (b"yes mani !", "vf5in683dc5n6i811"),
        (b"yes mani !", "bpfsxgidnmfxgsibb"),
        (b"yes mani !", "BPFSXGIDNMFXGSIBB"),
        (b"yes mani !", "k2lcpzo5yikidynfl"),
        (b"yes mani !", "z7paNL19xttacUY"),
        (b"yes mani !", "ueWVzIG1hbmkgIQ"),
        (b"\x00yes mani !", "z17paNL19xttacUY"),
        (b"\x00\x00yes mani !", "k002lcpzo5yikidynfl"),
    ],
)
def test_vectors_of_the_specification(raw: bytes, text: str) -> None:
    assert multibase.encode(raw, text[0]) == text
    assert multibase.decode(text) == raw


@given(BYTES, st.sampled_from(multibase.PREFIXES))
def test_bytes_return_from_every_base(raw: bytes, prefix: str) -> None:
    assert multibase.decode(multibase.encode(raw, prefix)) == raw


@given(BYTES)
def test_base32_and_base64_are_those_of_the_standard_library(raw: bytes) -> None:
    assert multibase.encode(raw, "B")[1:] == base64.b32encode(raw).decode().rstrip("=")
    assert multibase.encode(raw, "u")[1:] == base64.urlsafe_b64encode(raw).decode().rstrip("=")


@given(BYTES)
def test_base58_has_no_prefix(raw: bytes) -> None:
    assert "z" + multibase.encode_base58(raw) == multibase.encode(raw, "z")
    assert multibase.decode_base58(multibase.encode_base58(raw)) == raw


@given(st.text(max_size=40) | st.from_regex(r"[fvbkzu][A-Za-z0-9_-]{0,40}", fullmatch=True))
def test_any_text_is_decoded_or_refused(text: str) -> None:
    try:
        raw = multibase.decode(text)
    except ValueError:
        return
    assert multibase.decode(multibase.encode(raw, text[0])) == raw


@pytest.mark.parametrize("text", ["", "x00", "f0", "f0g", "bab", "z0", "zl", "b\u212a", "k-", "u+/"])
def test_a_text_of_no_bytes_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        multibase.decode(text)
