"""The location of an app or dataset as readable text.

Contracts hold it as bytes: usually plain text (a Docker image, a URL, an IPFS path), in registrations by the SDK the
binary form of the multiaddress `/ipfs/<id>` or `/p2p/<id>`, which are one protocol.
"""

from workerpool_poco.protocol.encoding.cid import Cid, InvalidCid, split_multihash
from workerpool_poco.protocol.encoding.multibase import encode_base58
from workerpool_poco.protocol.encoding.varint import read_varint, write_varint

_IPFS = write_varint(421)
"""Number of the protocol `ipfs`, now called `p2p`."""


def readable_multiaddr(raw: bytes) -> str:
    """Return the text of a location; a binary IPFS multiaddress becomes `/ipfs/Qm…` or `/ipfs/b…`."""
    return _ipfs_path(raw) or raw.decode("utf-8", errors="replace")


def _ipfs_path(raw: bytes) -> str:
    """Return the path of a binary multiaddress that consists of one IPFS part; empty for other bytes.

    The part holds a multihash: the SDK drops version and codec of the id that it is given. Some tools keep them.
    """
    if not raw.startswith(_IPFS):
        return ""
    try:
        length, at = read_varint(raw, len(_IPFS))
        content = raw[at:]
        if len(content) != length:
            return ""
        if content.startswith(b"\x01"):
            return f"/ipfs/{Cid.decode(content)}"
        split_multihash(content)
    except (InvalidCid, ValueError):
        return ""
    return f"/ipfs/{encode_base58(content)}"
