"""The sources of a dataset or an input file: the server of its URL, the operator's IPFS gateways, or both."""

from collections.abc import Sequence
from dataclasses import dataclass

from workerpool_worker.domain.fetching.ipfs_paths import ipfs_path_of, parse_ipfs_path
from workerpool_worker.domain.fetching.urls import InvalidUrl, parse_url


@dataclass(frozen=True, slots=True)
class FileSource:
    """A URL to try."""

    url: str
    gateway: str = ""
    """The operator's gateway that has the URL. Its address is the operator's choice, so it is not checked."""
    is_ipfs: bool = False
    """Whether the server is a gateway, which may answer with a page of its own instead of the content."""


@dataclass(frozen=True, slots=True)
class WantedFile:
    """A file of a task: its sources in the order of attempts, and its SHA-256 (`0x…`), empty if it is not known."""

    sources: tuple[FileSource, ...]
    sha256: str = ""


def dataset_file(uri: str, checksum: str, gateways: Sequence[str]) -> WantedFile:
    """Return what to fetch for a dataset with this URI and checksum on chain. Raises `InvalidUrl`."""
    text = uri.strip()
    if not text:
        raise InvalidUrl("the dataset has no URI on chain")
    return _wanted(text, checksum.lower(), gateways)


def input_file(text: str, gateways: Sequence[str]) -> WantedFile:
    """Return what to fetch for an input file. Raises `InvalidUrl`."""
    return _wanted(text, "", gateways)


def _wanted(text: str, sha256: str, gateways: Sequence[str]) -> WantedFile:
    """Return the sources of a file: its own URL first, then the operator's gateways if they can have it."""
    own: tuple[FileSource, ...] = ()
    path = parse_ipfs_path(text)
    if path is None:
        url = parse_url(text)
        path = ipfs_path_of(url)
        if path is None:
            return WantedFile((FileSource(text),), sha256)
        is_operators = url.origin in {parse_url(gateway).origin for gateway in gateways}
        if not is_operators or url.query or url.user is not None:
            own = (FileSource(text, is_ipfs=True),)
    path = path.as_block_of(sha256)
    gateway_sources = (FileSource(_base(gateway) + str(path), gateway, is_ipfs=True) for gateway in gateways)
    return WantedFile((*own, *gateway_sources), sha256 or path.sha256)


def _base(gateway: str) -> str:
    """Return what a path is appended to. Some write a gateway with the first part of its paths: `https://ipfs.io/ipfs`."""
    return gateway.rstrip("/").removesuffix("/ipfs")


def has_checksum(checksum: str) -> bool:
    """Return whether a dataset has an on-chain checksum. Zero means that its owner registered none."""
    return bool(checksum.removeprefix("0x").strip("0"))
