"""The location of an app or dataset as readable text.

Contracts hold it as bytes: usually plain text (a Docker image, a URL), in older registrations the binary form of an
IPFS multiaddress.
"""

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BINARY_IPFS = b"\xa5\x03\x22"
"""Protocol number 421 (IPFS) as a varint, then the length (34) of a SHA-256 multihash."""


def readable_multiaddr(raw: bytes) -> str:
    """Return the text of a location; a binary IPFS multiaddress becomes `/ipfs/Qm…`."""
    if raw.startswith(_BINARY_IPFS):
        return "/ipfs/" + _base58(raw[len(_BINARY_IPFS) :])
    return raw.decode("utf-8", errors="replace")


def _base58(raw: bytes) -> str:
    number, text = int.from_bytes(raw, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = _BASE58[digit] + text
    return "1" * (len(raw) - len(raw.lstrip(b"\0"))) + text
