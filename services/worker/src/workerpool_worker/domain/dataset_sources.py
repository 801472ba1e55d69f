"""Download addresses of a dataset."""

from collections.abc import Sequence


def dataset_urls(uri: str, gateways: Sequence[str]) -> list[str]:
    """Return the URLs to try, in order: the dataset's own URL, or one URL per gateway for `/ipfs/…`."""
    text = uri.strip()
    if text.startswith(("http://", "https://")):
        return [text]
    if text.startswith(("/ipfs/", "/ipns/")):
        return [gateway.rstrip("/") + text for gateway in gateways]
    if text.startswith("/p2p/"):
        return [gateway.rstrip("/") + "/ipfs/" + text.removeprefix("/p2p/") for gateway in gateways]
    return []


def has_checksum(checksum: str) -> bool:
    """Tell whether a dataset has an on-chain checksum. Zero means that its owner registered none."""
    return bool(checksum.removeprefix("0x").strip("0"))
