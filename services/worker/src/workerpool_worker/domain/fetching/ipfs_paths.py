"""Paths of contents on IPFS, in every spelling of the market, and in the one that gateways understand.

Accepted are `/ipfs/<id>`, `/p2p/<id>` and `/ipns/<name>` with or without a path below, the schemes `ipfs:`, `ipns:`,
`dweb:` and `fs:` with any number of slashes, a bare content id, and URLs of gateways, whose path or first label of the
host names the content.

Names (`/ipns/…`) lead to contents that change. They are tried like URLs: the checksum guards a dataset, and nothing
guards an input file.
"""

import re
from dataclasses import dataclass, replace
from urllib.parse import unquote

from workerpool_poco.protocol.encoding.cid import LIBP2P_KEY, Cid, InvalidCid

from workerpool_worker.domain.fetching.urls import DownloadUrl, InvalidUrl, without_secrets

IPFS, IPNS = "ipfs", "ipns"
_MAX_CHARACTERS = 2_000
_SCHEME = re.compile(r"(ipfs|ipns|dweb|fs):/*", re.IGNORECASE)
_NAMESPACE = re.compile(r"(ipfs|ipns|p2p)/")
_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,253}[A-Za-z0-9_])?")
_UNUSABLE = re.compile(r"[^\S ]|[\x00-\x1f\x7f-\x9f\ud800-\udfff\\]")
"""Characters that readers of a path disagree on: white space but for a blank, controls, surrogates, backslashes."""


@dataclass(frozen=True, slots=True)
class IpfsPath:
    """A content, and a path below it: empty, or `/…` with the escapes of its requester."""

    root: str
    """The content id in its usual spelling, or the name if `cid` is None."""
    below: str
    cid: Cid | None

    def __str__(self) -> str:
        """Return the path of a gateway's URL."""
        return f"/{IPNS if self.cid is None else IPFS}/{self.root}{self.below}"

    @property
    def sha256(self) -> str:
        """The SHA-256 of the file as `0x…` text if the content id contains it, otherwise empty."""
        return "" if self.cid is None or self.below else self.cid.sha256

    def as_block_of(self, sha256: str) -> "IpfsPath":
        """Return the path of the file with this SHA-256, corrected if the content id shows that it is one raw block."""
        if self.cid is None or self.below:
            return self
        cid = self.cid.as_block_of(sha256)
        return replace(self, root=str(cid), cid=cid)


def parse_ipfs_path(text: str) -> IpfsPath | None:
    """Return the path that a text spells; None for a text that does not speak of IPFS.

    Raises `InvalidUrl` for a text that does, but names no content, or whose path leaves the content.
    """
    scheme = _SCHEME.match(text)
    if scheme is not None:
        namespace, rest = scheme[1].lower(), text[scheme.end() :]
    elif text.startswith("/"):
        namespace, rest = "", text[1:]
    elif _is_cid(text.partition("/")[0]):
        namespace, rest = IPFS, text
    else:
        return None
    if (named := _NAMESPACE.match(rest)) is not None:
        namespace, rest = named[1], rest[named.end() :]
    if namespace not in (IPFS, IPNS, "p2p"):
        return None
    if len(text) > _MAX_CHARACTERS:
        raise InvalidUrl(f"the IPFS path has {len(text)} characters, more than {_MAX_CHARACTERS}")
    return _parsed(without_secrets(text), namespace, rest)


def ipfs_path_of(url: DownloadUrl) -> IpfsPath | None:
    """Return the path of the content that a URL of a gateway names; None for any other URL.

    A query for another form of the content (`format=car`) names another file.
    """
    if any(each.partition("=")[0] == "format" for each in url.query.split("&")):
        return None
    label, below_ipfs, domain = url.host.partition(".ipfs.")
    path = f"/ipfs/{label}{url.path}" if below_ipfs and domain else url.path
    try:
        return parse_ipfs_path(path) if path.startswith(("/ipfs/", "/ipns/")) else None
    except InvalidUrl:
        return None


def _parsed(name: str, namespace: str, rest: str) -> IpfsPath:
    """Return the path whose root and lower part are `rest`. Messages show it as `name`."""
    if "?" in rest or "#" in rest:
        raise InvalidUrl(
            f"the IPFS path {name} has a query or a fragment; ? in a file's name is spelled %3F, # is %23"
        )
    if _UNUSABLE.search(rest) or not _stays_inside(rest):
        raise InvalidUrl(f"the IPFS path {name} leads out of its content, or has unusable characters")
    root, slash, below = rest.partition("/")
    below = (slash + below).rstrip("/")
    if namespace == IPNS:
        if _NAME.fullmatch(root) is None:
            raise InvalidUrl(f"the IPFS path {name} has a malformed name")
        return IpfsPath(root, below, None)
    try:
        cid = Cid.parse(root)
    except InvalidCid:
        raise InvalidUrl(f"{name} is not an IPFS path: it names no content id (CID)") from None
    if cid.codec == LIBP2P_KEY:
        raise InvalidUrl(f"{name} names a key and no content: its path begins with /ipns/")
    return IpfsPath(str(cid), below, cid)


def _is_cid(text: str) -> bool:
    try:
        Cid.parse(text)
    except InvalidCid:
        return False
    return True


def _stays_inside(path: str) -> bool:
    """Return whether a path has no `..`, which would lead to other parts of the operator's gateway."""
    decoded = path
    for _ in range(3):
        decoded = unquote(decoded)
    return not {".", ".."} & set(re.split(r"[/\\]", decoded))
