"""Download addresses of datasets."""

import pytest
from workerpool_worker.domain.dataset_sources import dataset_urls, has_checksum

GATEWAYS = ("https://a", "https://b/")


@pytest.mark.parametrize(
    ("uri", "urls"),
    [
        ("/ipfs/Qm1", ["https://a/ipfs/Qm1", "https://b/ipfs/Qm1"]),
        ("/p2p/Qm1", ["https://a/ipfs/Qm1", "https://b/ipfs/Qm1"]),
        (" https://x/y ", ["https://x/y"]),
        ("ftp://x", []),
        ("", []),
    ],
)
def test_urls_of_a_dataset(uri: str, urls: list[str]) -> None:
    assert dataset_urls(uri, GATEWAYS) == urls


@pytest.mark.parametrize(
    ("checksum", "expected"), [("0x" + "0" * 64, False), ("", False), ("0x" + "0" * 63 + "1", True)]
)
def test_zero_is_no_checksum(checksum: str, expected: bool) -> None:
    assert has_checksum(checksum) is expected
