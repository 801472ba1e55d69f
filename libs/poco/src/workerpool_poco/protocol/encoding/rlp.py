"""RLP, the serialisation of Ethereum transactions (Yellow Paper, appendix B): byte strings and flat lists of them."""

from collections.abc import Sequence

from workerpool_poco.errors import PocoError

_STRING, _LIST = 0x80, 0xC0
_SHORT = 55
"""Longest payload whose length fits into the first byte."""


class RlpError(PocoError, ValueError):
    """Bytes are not the encoding of a flat list of byte strings."""


def encode_list(items: Sequence[bytes]) -> bytes:
    """Return the encoding of a list of byte strings."""
    payload = b"".join(map(_encode_bytes, items))
    return _prefix(len(payload), _LIST) + payload


def decode_list(data: bytes) -> list[bytes]:
    """Return the byte strings in an encoded flat list; raises `RlpError`."""
    start, end = _payload(data, 0, _LIST)
    if end != len(data):
        raise RlpError(f"{len(data) - end} bytes follow the list")
    items = []
    while start < end:
        if data[start] < _STRING:
            first, start = start, start + 1
        else:
            first, start = _payload(data, start, _STRING)
        items.append(data[first:start])
    return items


def integer(value: int) -> bytes:
    """Return an integer as RLP expects it: big-endian, without leading zeros, 0 as the empty string."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _encode_bytes(item: bytes) -> bytes:
    return item if len(item) == 1 and item[0] < _STRING else _prefix(len(item), _STRING) + item


def _prefix(length: int, kind: int) -> bytes:
    if length <= _SHORT:
        return bytes([kind + length])
    size = integer(length)
    return bytes([kind + _SHORT + len(size)]) + size


def _payload(data: bytes, at: int, kind: int) -> tuple[int, int]:
    """Return where the payload of an item of this kind begins and ends."""
    size = data[at] - kind if at < len(data) else -1
    if not 0 <= size < _LIST - _STRING:
        raise RlpError(f"no {'list' if kind == _LIST else 'byte string'} begins at byte {at}")
    start = at + 1
    if size > _SHORT:
        start += size - _SHORT
        size = int.from_bytes(data[at + 1 : start], "big")
    if start + size > len(data):
        raise RlpError(f"the item at byte {at} ends outside the data")
    return start, start + size
