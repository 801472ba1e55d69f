"""RLP, the serialisation of Ethereum transactions (Yellow Paper, appendix B): byte strings and lists."""

from collections.abc import Sequence
from typing import TypeAlias

from workerpool_poco.errors import PocoError

Item: TypeAlias = "bytes | Sequence[Item]"
"""A byte string, or a list of items."""

_STRING, _LIST = 0x80, 0xC0
_MAX_DEPTH = 8
"""Limit of nested lists; a transaction's access list has three levels."""
_SHORT = 55
"""Longest payload whose length fits into the first byte."""


class RlpError(PocoError, ValueError):
    """Bytes are not the encoding of a list."""


def encode_list(items: Sequence[Item]) -> bytes:
    """Return the encoding of a list."""
    payload = b"".join(
        _encode_bytes(item) if isinstance(item, bytes) else encode_list(item) for item in items
    )
    return _prefix(len(payload), _LIST) + payload


def decode_list(data: bytes) -> list[Item]:
    """Return the items of an encoded list; raises `RlpError`."""
    start, end = _payload(data, 0, _LIST)
    if end != len(data):
        raise RlpError(f"{len(data) - end} bytes follow the list")
    return _items(data, start, end, 0)


def _items(data: bytes, start: int, end: int, depth: int) -> list[Item]:
    if depth > _MAX_DEPTH:
        raise RlpError(f"the lists are nested more than {_MAX_DEPTH} levels deep")
    items: list[Item] = []
    while start < end:
        if data[start] < _STRING:
            first, start = start, start + 1
            items.append(data[first:start])
        elif data[start] < _LIST:
            first, start = _payload(data, start, _STRING, end)
            items.append(data[first:start])
        else:
            first, start = _payload(data, start, _LIST, end)
            items.append(_items(data, first, start, depth + 1))
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


def _payload(data: bytes, at: int, kind: int, limit: int | None = None) -> tuple[int, int]:
    """Return where the payload of an item of this kind begins and ends; it may not pass `limit`."""
    size = data[at] - kind if at < len(data) else -1
    if not 0 <= size < _LIST - _STRING:
        raise RlpError(f"no {'list' if kind == _LIST else 'byte string'} begins at byte {at}")
    start = at + 1
    if size > _SHORT:
        start += size - _SHORT
        size = int.from_bytes(data[at + 1 : start], "big")
    if start + size > (len(data) if limit is None else limit):
        raise RlpError(f"the item at byte {at} ends outside its list")
    return start, start + size
