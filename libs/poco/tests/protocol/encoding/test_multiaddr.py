"""Locations of apps and datasets: text, and binary multiaddresses of IPFS."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workerpool_poco.protocol.encoding.cid import DAG_PB, RAW, SHA2_256, Cid
from workerpool_poco.protocol.encoding.multiaddr import readable_multiaddr

DIGESTS = st.binary(min_size=32, max_size=32)


@pytest.mark.parametrize(
    "text",
    [
        "docker.io/library/alpine:3.20",
        "https://files.test/é",
        "/ipfs/QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG",
        "/p2p/QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG",
        "ipfs://bafkqaaa",
        "",
    ],
)
def test_a_text_stays_as_it_is(text: str) -> None:
    assert readable_multiaddr(text.encode()) == text


def test_a_binary_multiaddress_becomes_a_path() -> None:
    raw = bytes.fromhex("a503221220" + "00" * 32)
    assert readable_multiaddr(raw) == "/ipfs/QmNLei78zWmzUdbeRB3CiUfAizWUrbeeZh5K1rhAQKCh51"


@given(DIGESTS)
def test_a_multihash_is_an_id_of_version_0(digest: bytes) -> None:
    cid = Cid(DAG_PB, SHA2_256, digest, version=0)
    assert readable_multiaddr(b"\xa5\x03\x22" + cid.encode()) == f"/ipfs/{cid}"


@given(DIGESTS, st.sampled_from([RAW, DAG_PB]))
def test_an_id_of_version_1_keeps_its_codec(digest: bytes, codec: int) -> None:
    cid = Cid(codec, SHA2_256, digest)
    assert readable_multiaddr(b"\xa5\x03\x24" + cid.encode()) == f"/ipfs/{cid}"


@pytest.mark.parametrize(
    "raw",
    ["a503", "a50322", "a503221220" + "00" * 31, "a503221220" + "00" * 33, "a50302ff01", "a50380", "ff00"],
)
def test_bytes_of_neither_form_are_shown_as_text(raw: str) -> None:
    """The worker then refuses them as malformed."""
    text = readable_multiaddr(bytes.fromhex(raw))
    assert "\ufffd" in text
    assert not text.startswith("/ipfs/")


@given(st.binary(max_size=60) | st.binary(max_size=60).map(b"\xa5\x03".__add__))
def test_any_bytes_have_a_text(raw: bytes) -> None:
    readable_multiaddr(raw).encode()
