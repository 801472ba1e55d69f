"""Identifiers of the protocol: deal ids, task ids, addresses, and hexadecimal text.

Deal and task ids are text end to end: lower-case `0x` and 64 hexadecimal digits, as gRPC, MongoDB, logs and the
market's tools spell them. Borders build them with `parse_deal_id` and `parse_task_id`; only the code that encodes
calldata, decodes answers or hashes turns them into bytes. Digests and hashes of results, orders and blocks are `bytes`.
"""

from functools import lru_cache
from typing import NewType, TypeAlias

from workerpool_poco.errors import InvalidId
from workerpool_poco.protocol.encoding.keccak import keccak

DealId = NewType("DealId", str)
"""The id of a deal: lower-case `0x…`, 66 characters."""

TaskId = NewType("TaskId", str)
"""The id of a task: lower-case `0x…`, 66 characters."""

Address: TypeAlias = str
"""A checksummed `0x…` address of 20 bytes (EIP-55)."""

Hex: TypeAlias = str
"""Bytes spelled as lower-case `0x…`."""

ZERO_ADDRESS: Address = "0x" + "00" * 20
ZERO_BYTES32 = bytes(32)


def to_hex(value: bytes) -> Hex:
    """Spell bytes as lower-case hexadecimal with the `0x` prefix."""
    return "0x" + value.hex()


def from_hex(text: str) -> bytes:
    """Read hexadecimal text with or without `0x`; raises `InvalidId` when it is not."""
    try:
        return bytes.fromhex(text[2:] if text[:2] in ("0x", "0X") else text)
    except ValueError as cause:
        raise InvalidId(f"not a hexadecimal text: {text[:80]!r}") from cause


def bytes32(value: str | bytes) -> bytes:
    """Return the 32 bytes of an id or hash; raises `InvalidId` on another length."""
    raw = from_hex(value) if isinstance(value, str) else bytes(value)
    if len(raw) != 32:
        raise InvalidId(f"an id has 32 bytes, not {len(raw)}: {to_hex(raw)[:80]}")
    return raw


def parse_deal_id(value: str | bytes) -> DealId:
    """Return the deal id in a text or 32 bytes; raises `InvalidId`."""
    return DealId(to_hex(bytes32(value)))


def parse_task_id(value: str | bytes) -> TaskId:
    """Return the task id in a text or 32 bytes; raises `InvalidId`."""
    return TaskId(to_hex(bytes32(value)))


def deal_id_of(request_hash: bytes, bot_first: int) -> DealId:
    """Return the id of a deal: `keccak256(hash of the request order ‖ uint256 volume consumed before)`."""
    return DealId(to_hex(keccak(bytes32(request_hash) + uint256(bot_first))))


def task_id_of(deal_id: DealId, index: int) -> TaskId:
    """Return the id of the task at `index` of a deal: `keccak256(dealid ‖ uint256 index)`."""
    return TaskId(to_hex(keccak(bytes32(deal_id) + uint256(index))))


@lru_cache(maxsize=8192)
def address(value: str | bytes) -> Address:
    """Return the checksummed spelling of an address; raises `InvalidId` unless it has 20 bytes."""
    text = address_bytes(value).hex()
    # EIP-55: a letter is upper case where the same digit of the hash is 8 or more.
    digits = keccak(text.encode()).hex()
    return "0x" + "".join(
        letter.upper() if digit >= "8" else letter for letter, digit in zip(text, digits, strict=False)
    )


def address_bytes(value: str | bytes) -> bytes:
    """Return the 20 bytes of an address; raises `InvalidId` on another length."""
    raw = from_hex(value) if isinstance(value, str) else value
    if len(raw) != 20:
        raise InvalidId(f"an address has 20 bytes, not {len(raw)}: {to_hex(raw)[:80]}")
    return raw


def uint256(value: int) -> bytes:
    """Encode an unsigned integer as the 32 big-endian bytes the contracts hash."""
    return value.to_bytes(32, "big")
