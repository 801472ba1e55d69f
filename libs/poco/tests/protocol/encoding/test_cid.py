"""Content ids of IPFS: one id in many spellings."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workerpool_poco.protocol.encoding import multibase
from workerpool_poco.protocol.encoding.cid import DAG_PB, IDENTITY, LIBP2P_KEY, RAW, SHA2_256, Cid, InvalidCid

README = "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG"
README_1 = "bafybeie5nqv6kd3qnfjupgvz34woh3oksc3iau6abmyajn7qvtf6d2ho34"
CIDS = st.builds(
    Cid,
    st.sampled_from([RAW, DAG_PB, LIBP2P_KEY, 0x71, 0x0129]),
    st.sampled_from([SHA2_256, 0x16, 0xB220]),
    st.binary(min_size=1, max_size=64),
) | st.builds(lambda digest: Cid(DAG_PB, SHA2_256, digest, version=0), st.binary(min_size=32, max_size=32))


def test_the_two_versions_of_one_content() -> None:
    old, new = Cid.parse(README), Cid.parse(README_1)
    assert (old.version, new.version) == (0, 1)
    assert (old.codec, old.digest) == (new.codec, new.digest)
    assert (str(old), str(new)) == (README, README_1)


def test_a_raw_block_is_named_by_the_hash_of_its_file() -> None:
    digest = hashlib.sha256(b"hello\n").digest()
    cid = Cid(RAW, SHA2_256, digest)
    assert cid.sha256 == "0x" + digest.hex()
    assert str(cid).startswith("bafkrei")
    assert Cid(DAG_PB, SHA2_256, digest).sha256 == ""
    assert Cid(RAW, 0x16, digest).sha256 == ""


def test_a_multihash_that_equals_the_files_hash_is_a_raw_block() -> None:
    """The SDK registers `/ipfs/bafkrei…` as a bare multihash, which reads as `/ipfs/Qm…`."""
    digest = hashlib.sha256(b"hello\n").digest()
    read = Cid(DAG_PB, SHA2_256, digest, version=0)
    assert read.as_block_of("0x" + digest.hex()) == Cid(RAW, SHA2_256, digest)
    assert read.as_block_of("0x" + "11" * 32) is read
    assert read.as_block_of("") is read


@given(CIDS, st.sampled_from(multibase.PREFIXES))
def test_a_content_id_returns_from_every_spelling(cid: Cid, prefix: str) -> None:
    assert Cid.decode(cid.encode()) == cid
    assert Cid.parse(str(cid)) == cid
    if cid.version:
        assert Cid.parse(multibase.encode(cid.encode(), prefix)) == cid


def test_an_id_may_hold_its_content() -> None:
    assert Cid.parse("bafkqaaa") == Cid(RAW, IDENTITY, b"")


@given(
    st.text(max_size=60)
    | st.from_regex(r"(Qm[1-9A-Za-z]{44}|[bBfFkKvVzu][0-9A-Za-z_-]{0,80})", fullmatch=True)
)
def test_any_text_is_an_id_or_refused(text: str) -> None:
    try:
        cid = Cid.parse(text)
    except InvalidCid:
        return
    assert Cid.parse(str(cid)) == cid


@given(st.binary(max_size=50))
def test_any_bytes_are_an_id_or_refused(raw: bytes) -> None:
    try:
        cid = Cid.decode(raw)
    except InvalidCid:
        return
    assert cid.encode() == raw


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Qm",
        "Qm1",
        README[:-1],
        README + "1",
        README.lower(),
        README.replace("Y", "0"),
        README_1[:-2],
        README_1 + "aa",
        "z" + README,
        "b" + "a" * 400,
        multibase.encode(b"\x02" + Cid.parse(README_1).encode()[1:], "b"),
        multibase.encode(b"\x01\x55\x12\x20" + bytes(31), "b"),
        multibase.encode(b"\x01\x55\x12\x00", "b"),
        multibase.encode(b"\x01\x55\x00\x81\x01" + bytes(129), "b"),
        "bé",
        "../api",
    ],
    ids=lambda text: ascii(text)[:40],
)
def test_a_malformed_id_is_refused(text: str) -> None:
    with pytest.raises(InvalidCid):
        Cid.parse(text)
