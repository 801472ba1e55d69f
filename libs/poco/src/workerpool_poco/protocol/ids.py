"""Identifiers of the protocol: deal ids, task ids, addresses, and their hexadecimal spelling.

Inside Python an id is always ``bytes`` of length 32 and an address always a
checksummed ``str`` (EIP-55); the ``0x…`` spelling appears only at the borders
(gRPC, database, logs).
"""

from functools import lru_cache
from typing import TypeAlias

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from workerpool_poco.errors import InvalidId

Address: TypeAlias = str
"""A checksummed ``0x…`` address of 20 bytes."""

HexId: TypeAlias = str
"""A 32-byte id spelled as lower-case ``0x…`` (66 characters)."""

ZERO_ADDRESS: Address = "0x" + "00" * 20
ZERO_BYTES32 = bytes(32)


def to_hex(value: bytes) -> HexId:
    """Spell bytes as lower-case hexadecimal with the ``0x`` prefix."""
    return "0x" + value.hex()


def from_hex(text: str) -> bytes:
    """Read hexadecimal text with or without ``0x``; raises :class:`InvalidId` when it is not."""
    try:
        return bytes.fromhex(text[2:] if text[:2] in ("0x", "0X") else text)
    except ValueError as cause:
        raise InvalidId(f"not a hexadecimal text: {text[:80]!r}") from cause


def bytes32(value: str | bytes) -> bytes:
    """Read a 32-byte id from bytes or hexadecimal text; raises :class:`InvalidId` on another length."""
    raw = from_hex(value) if isinstance(value, str) else bytes(value)
    if len(raw) != 32:
        raise InvalidId(f"an id has 32 bytes, not {len(raw)}: {to_hex(raw)[:80]}")
    return raw


@lru_cache(maxsize=8192)
def address(value: str | bytes) -> Address:
    """Return the checksummed spelling of an address; raises :class:`InvalidId` unless it has 20 bytes."""
    return to_checksum_address(address_bytes(value))


def address_bytes(value: str | bytes) -> bytes:
    """Return the 20 bytes of an address; raises :class:`InvalidId` on another length."""
    raw = from_hex(value) if isinstance(value, str) else value
    if len(raw) != 20:
        raise InvalidId(f"an address has 20 bytes, not {len(raw)}: {to_hex(raw)[:80]}")
    return raw


def uint256(value: int) -> bytes:
    """Encode an unsigned integer as the 32 big-endian bytes the contracts hash."""
    return value.to_bytes(32, "big")


def task_id(deal_id: bytes, index: int) -> bytes:
    """Return the id of the task at ``index`` of a deal: ``keccak256(dealid ‖ uint256 index)``."""
    return keccak(bytes32(deal_id) + uint256(index))


def deal_id(request_hash: bytes, bot_first: int) -> bytes:
    """Return the id of a deal: ``keccak256(hash of the request order ‖ uint256 volume consumed before)``."""
    return keccak(bytes32(request_hash) + uint256(bot_first))
