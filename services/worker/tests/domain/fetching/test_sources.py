"""Sources of datasets and input files, in the order of attempts."""

import pytest
from workerpool_poco.protocol.encoding.cid import DAG_PB, RAW, SHA2_256, Cid
from workerpool_worker.domain.fetching.sources import (
    FileSource,
    WantedFile,
    dataset_file,
    has_checksum,
    input_file,
)
from workerpool_worker.domain.fetching.urls import InvalidUrl

GATEWAYS = ("https://a", "https://b/")
DIGEST = bytes(range(32))
TREE = str(Cid(DAG_PB, SHA2_256, bytes(32), version=0))
BLOCK = str(Cid(RAW, SHA2_256, DIGEST))
CHECKSUM, BLOCK_CHECKSUM = "0x" + "ab" * 32, "0x" + DIGEST.hex()


def at_gateways(path: str) -> tuple[FileSource, ...]:
    return tuple(
        FileSource(f"https://{gateway}{path}", configured, is_ipfs=True)
        for gateway, configured in zip("ab", GATEWAYS, strict=True)
    )


@pytest.mark.parametrize(
    ("uri", "sources"),
    [
        (f"/ipfs/{TREE}", at_gateways(f"/ipfs/{TREE}")),
        (f"/p2p/{TREE}", at_gateways(f"/ipfs/{TREE}")),
        (f" ipfs://{TREE}/file.csv ", at_gateways(f"/ipfs/{TREE}/file.csv")),
        (TREE, at_gateways(f"/ipfs/{TREE}")),
        ("/ipns/x.eth/a", at_gateways("/ipns/x.eth/a")),
        (" https://x/y ", (FileSource("https://x/y"),)),
        ("https://x/ipfs/y", (FileSource("https://x/ipfs/y"),)),
        (
            f"https://x/ipfs/{TREE}/y?token=secret",
            (
                FileSource(f"https://x/ipfs/{TREE}/y?token=secret", is_ipfs=True),
                *at_gateways(f"/ipfs/{TREE}/y"),
            ),
        ),
        (f"https://a/ipfs/{TREE}", at_gateways(f"/ipfs/{TREE}")),
        (
            f"https://a/ipfs/{TREE}?token=secret",
            (
                FileSource(f"https://a/ipfs/{TREE}?token=secret", is_ipfs=True),
                *at_gateways(f"/ipfs/{TREE}"),
            ),
        ),
    ],
)
def test_sources_of_a_dataset(uri: str, sources: tuple[FileSource, ...]) -> None:
    assert dataset_file(uri, CHECKSUM.upper().replace("X", "x"), GATEWAYS) == WantedFile(sources, CHECKSUM)


def test_an_input_file_has_the_same_sources_and_no_checksum() -> None:
    assert input_file(f"/ipfs/{TREE}", GATEWAYS) == WantedFile(at_gateways(f"/ipfs/{TREE}"))
    assert input_file("https://x/y", GATEWAYS) == WantedFile((FileSource("https://x/y"),))


def test_the_id_of_a_raw_block_is_a_checksum() -> None:
    assert input_file(BLOCK, GATEWAYS) == WantedFile(at_gateways(f"/ipfs/{BLOCK}"), BLOCK_CHECKSUM)
    assert input_file(f"{BLOCK}/x", GATEWAYS).sha256 == ""


def test_a_dataset_whose_multihash_is_its_checksum_is_requested_as_a_raw_block() -> None:
    uri = f"/ipfs/{Cid(DAG_PB, SHA2_256, DIGEST, version=0)}"
    assert dataset_file(uri, BLOCK_CHECKSUM, GATEWAYS).sources == at_gateways(f"/ipfs/{BLOCK}")
    assert dataset_file(uri, CHECKSUM, GATEWAYS).sources == at_gateways(uri)


def test_a_gateway_may_be_configured_with_the_first_part_of_its_paths() -> None:
    (source,) = input_file(TREE, ("https://ipfs.io/ipfs",)).sources
    assert source.url == f"https://ipfs.io/ipfs/{TREE}"


def test_without_gateways_only_a_url_is_left() -> None:
    assert dataset_file(f"/ipfs/{TREE}", CHECKSUM, ()).sources == ()
    assert len(dataset_file(f"https://x/ipfs/{TREE}", CHECKSUM, ()).sources) == 1


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("", "no URI on chain"),
        (" ", "no URI on chain"),
        ("ftp://x", "only http and https"),
        ("ipfs://Qm1", "names no content id"),
        ("/ip4/127.0.0.1/tcp/80", "does not begin with http"),
        (f"//evil.test/ipfs/{TREE}", "does not begin with http"),
        (f"/ipfs/{TREE}/../x", "leads out"),
        ("\ufffd\x03\x22", "control characters"),
        ("Qm1", "does not begin with http"),
    ],
)
def test_a_uri_of_neither_form_is_refused(uri: str, reason: str) -> None:
    with pytest.raises(InvalidUrl, match=reason):
        dataset_file(uri, CHECKSUM, GATEWAYS)


@pytest.mark.parametrize(
    ("checksum", "expected"), [("0x" + "0" * 64, False), ("", False), ("0x" + "0" * 63 + "1", True)]
)
def test_zero_is_no_checksum(checksum: str, expected: bool) -> None:
    assert has_checksum(checksum) is expected
