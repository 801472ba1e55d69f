"""Unsigned varints of the multiformats: seven bits per byte, the lowest first, at most nine bytes."""

_MAX_BYTES = 9
_MORE = 0x80


def write_varint(number: int) -> bytes:
    """Return the varint of a number below 2**63. Raises ValueError."""
    if not 0 <= number < 1 << 7 * _MAX_BYTES:
        raise ValueError(f"{number} has no varint")
    written = bytearray()
    while number >= _MORE:
        written.append(number & 0x7F | _MORE)
        number >>= 7
    return bytes([*written, number])


def read_varint(raw: bytes, at: int = 0) -> tuple[int, int]:
    """Return the number whose varint begins at a place, and the place after it. Raises ValueError."""
    number = 0
    for position, byte in enumerate(raw[at : at + _MAX_BYTES]):
        number |= (byte & 0x7F) << 7 * position
        if byte < _MORE:
            if position and not byte:
                raise ValueError("the varint is longer than its number needs")
            return number, at + position + 1
    raise ValueError("the varint has no end")
