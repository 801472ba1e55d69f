"""The contract ABI: encoding and strict decoding of the types that PoCo contracts use.

The types are `uint<N>`, `bool`, `address`, `bytes<N>`, `bytes`, `string`, tuples and arrays without a fixed length
(Solidity's contract ABI specification). Only these occur, and importing a general codec costs every process a third
of a second. Values are int, bool, checksummed address text, bytes, str, and tuples of these.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from workerpool_poco.errors import PocoError
from workerpool_poco.protocol.ids import address, address_bytes

WORD = 32
"""Bytes of one ABI word."""


class AbiError(PocoError, ValueError):
    """A value does not fit its type, or bytes are not the encoding of a type."""


def encode(kinds: Sequence[str], values: Sequence[Any]) -> bytes:
    """Return the encoding of values as a tuple of the given types; raises `AbiError`."""
    return _Tuple(tuple(map(_type_of, kinds))).encode(values)


def decode(kinds: Sequence[str], data: bytes) -> tuple[Any, ...]:
    """Return the values in an encoded tuple of the given types; raises `AbiError`.

    Decoding is strict about ranges, bounds and padding. Text that is not UTF-8 gets replacement characters, because
    a contract accepts any bytes as a string.
    """
    values: tuple[Any, ...] = _Tuple(tuple(map(_type_of, kinds))).decode(data, 0)
    return values


def split_types(text: str) -> list[str]:
    """Split at the commas outside brackets: `uint256,(address,bytes)[]` has two parts."""
    parts, depth, start = [], 0, 0
    for position, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append(text[start:position].strip())
            start = position + 1
    last = text[start:].strip()
    return [*parts, last] if last else parts


class _Type(Protocol):
    """A type: `head` is its size in the head of a tuple; a dynamic type has its offset there."""

    @property
    def head(self) -> int: ...

    @property
    def dynamic(self) -> bool: ...

    def encode(self, value: Any) -> bytes: ...

    def decode(self, data: bytes, at: int) -> Any: ...


@lru_cache(maxsize=512)
def _type_of(kind: str) -> _Type:
    if kind.endswith("[]"):
        return _Array(_type_of(kind[:-2]))
    if kind.startswith("("):
        return _Tuple(tuple(map(_type_of, split_types(kind[1:-1]))))
    if kind in ("bytes", "string"):
        return _Bytes(text=kind == "string")
    if kind in ("address", "bool"):
        return _Address() if kind == "address" else _Bool()
    if kind.startswith("uint"):
        return _Uint(int(kind[4:]))
    if kind.startswith("bytes"):
        return _FixedBytes(int(kind[5:]))
    raise AbiError(f"the ABI type {kind} is not supported")


def _slice(data: bytes, at: int, size: int) -> bytes:
    found = data[at : at + size]
    if len(found) != size:
        raise AbiError(f"{size} bytes are missing at {at} of {len(data)}")
    return found


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(_slice(data, at, WORD), "big")


@dataclass(frozen=True)
class _Uint:
    bits: int
    head: int = WORD
    dynamic: bool = False

    def encode(self, value: Any) -> bytes:
        if not isinstance(value, int) or isinstance(value, bool) or value < 0 or value >> self.bits:
            raise AbiError(f"{value!r:.80} is not a uint{self.bits}")
        return value.to_bytes(WORD, "big")

    def decode(self, data: bytes, at: int) -> int:
        value = _number(data, at)
        if value >> self.bits:
            raise AbiError(f"a uint{self.bits} has more bits")
        return value


@dataclass(frozen=True)
class _Bool:
    head: int = WORD
    dynamic: bool = False

    def encode(self, value: Any) -> bytes:
        if not isinstance(value, bool):
            raise AbiError(f"{value!r:.80} is not a bool")
        return int(value).to_bytes(WORD, "big")

    def decode(self, data: bytes, at: int) -> bool:
        value = _number(data, at)
        if value > 1:
            raise AbiError("a bool is neither 0 nor 1")
        return bool(value)


@dataclass(frozen=True)
class _Address:
    head: int = WORD
    dynamic: bool = False

    def encode(self, value: Any) -> bytes:
        return address_bytes(value).rjust(WORD, b"\0")

    def decode(self, data: bytes, at: int) -> str:
        word = _slice(data, at, WORD)
        if any(word[:12]):
            raise AbiError("an address has more than 20 bytes")
        return address(word[12:])


@dataclass(frozen=True)
class _FixedBytes:
    size: int
    head: int = WORD
    dynamic: bool = False

    def encode(self, value: Any) -> bytes:
        if not isinstance(value, bytes) or len(value) != self.size:
            raise AbiError(f"{value!r:.80} is not {self.size} bytes")
        return value.ljust(WORD, b"\0")

    def decode(self, data: bytes, at: int) -> bytes:
        word = _slice(data, at, WORD)
        if any(word[self.size :]):
            raise AbiError(f"bytes{self.size} has more bytes")
        return word[: self.size]


@dataclass(frozen=True)
class _Bytes:
    text: bool
    head: int = WORD
    dynamic: bool = True

    def encode(self, value: Any) -> bytes:
        if not isinstance(value, str if self.text else bytes):
            raise AbiError(f"{value!r:.80} is not {'text' if self.text else 'bytes'}")
        raw: bytes = value.encode() if isinstance(value, str) else value
        return len(raw).to_bytes(WORD, "big") + raw.ljust(-(-len(raw) // WORD) * WORD, b"\0")

    def decode(self, data: bytes, at: int) -> bytes | str:
        length = _number(data, at)
        padded = _slice(data, at + WORD, -(-length // WORD) * WORD) if length <= len(data) else b""
        if len(padded) < length or any(padded[length:]):
            raise AbiError(f"{length} bytes are missing or not padded with zeros")
        return padded[:length].decode("utf-8", "replace") if self.text else padded[:length]


@dataclass(frozen=True)
class _Tuple:
    items: tuple[_Type, ...]

    @property
    def dynamic(self) -> bool:
        return any(item.dynamic for item in self.items)

    @property
    def head(self) -> int:
        return WORD if self.dynamic else sum(item.head for item in self.items)

    def encode(self, values: Any) -> bytes:
        if not isinstance(values, Sequence) or len(values) != len(self.items):
            raise AbiError(f"{values!r:.80} is not a tuple of {len(self.items)} values")
        heads, tails, offset = [], [], sum(item.head for item in self.items)
        for item, value in zip(self.items, values, strict=True):
            encoded = item.encode(value)
            if item.dynamic:
                heads.append(offset.to_bytes(WORD, "big"))
                tails.append(encoded)
                offset += len(encoded)
            else:
                heads.append(encoded)
        return b"".join(heads + tails)

    def decode(self, data: bytes, at: int) -> tuple[Any, ...]:
        values, place = [], at
        for item in self.items:
            start = at + _number(data, place) if item.dynamic else place
            values.append(item.decode(data, start))
            place += item.head
        return tuple(values)


@dataclass(frozen=True)
class _Array:
    item: _Type
    head: int = WORD
    dynamic: bool = True

    def encode(self, values: Any) -> bytes:
        if not isinstance(values, Sequence):
            raise AbiError(f"{values!r:.80} is not a list")
        return len(values).to_bytes(WORD, "big") + _Tuple((self.item,) * len(values)).encode(values)

    def decode(self, data: bytes, at: int) -> tuple[Any, ...]:
        count = _number(data, at)
        if count * self.item.head > len(data):
            raise AbiError(f"an array of {count} items does not fit into {len(data)} bytes")
        return _Tuple((self.item,) * count).decode(data, at + WORD)
