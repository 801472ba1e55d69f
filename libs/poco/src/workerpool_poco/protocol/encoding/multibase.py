"""Text forms of binary ids: the first character names the base (multibase), the others are the digits."""

from dataclasses import dataclass

_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE64_URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@dataclass(frozen=True, slots=True)
class _Base:
    """An alphabet. With `bits` each digit holds that many bits; without, all digits are one large number."""

    alphabet: str
    bits: int = 0
    any_case: bool = True

    def encode(self, raw: bytes) -> str:
        if self.bits:
            missing = -8 * len(raw) % self.bits
            number, size = int.from_bytes(raw, "big") << missing, (8 * len(raw) + missing) // self.bits
            mask = (1 << self.bits) - 1
            return "".join(
                self.alphabet[number >> self.bits * place & mask] for place in reversed(range(size))
            )
        number, text = int.from_bytes(raw, "big"), ""
        while number:
            number, digit = divmod(number, len(self.alphabet))
            text = self.alphabet[digit] + text
        return self.alphabet[0] * (len(raw) - len(raw.lstrip(b"\0"))) + text

    def decode(self, text: str) -> bytes:
        digits, number = text.lower() if self.any_case else text, 0
        for digit in digits:
            value = self.alphabet.find(digit)
            if value < 0:
                raise ValueError(f"{digit!r} is not a digit of this base")
            number = number * len(self.alphabet) + value
        if not self.bits:
            zeros = len(digits) - len(digits.lstrip(self.alphabet[0]))
            return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
        size, unused = divmod(self.bits * len(digits), 8)
        if unused >= self.bits or number & (1 << unused) - 1:
            raise ValueError("the last digit holds bits of no byte")
        return (number >> unused).to_bytes(size, "big")


_BASE58_BTC = _Base(_BASE58, any_case=False)
_BASES = {
    "f": _Base("0123456789abcdef", 4),
    "v": _Base("0123456789abcdefghijklmnopqrstuv", 5),
    "b": _Base("abcdefghijklmnopqrstuvwxyz234567", 5),
    "k": _Base(_BASE36),
    "z": _BASE58_BTC,
    "u": _Base(_BASE64_URL, 6, any_case=False),
}
"""Bases whose digits are valid in a path: base16, base32hex, base32, base36, base58btc and base64url."""
PREFIXES = "fFvVbBkKzu"
"""The characters that name these bases; an upper-case one means upper-case digits."""


def encode(raw: bytes, prefix: str) -> str:
    """Return the text of some bytes in the base of a prefix, which the text begins with."""
    text = prefix.lower() + _BASES[prefix.lower()].encode(raw)
    return text.upper() if prefix.isupper() else text


def decode(text: str) -> bytes:
    """Return the bytes of a text with a prefix. Time grows with the square of its length. Raises ValueError."""
    if not text.isascii() or text[:1] not in PREFIXES or not text:
        raise ValueError("the text begins with no known base")
    return _BASES[text[0].lower()].decode(text[1:])


def encode_base58(raw: bytes) -> str:
    """Return the base58 text of some bytes, without a prefix."""
    return _BASE58_BTC.encode(raw)


def decode_base58(text: str) -> bytes:
    """Return the bytes of a base58 text without a prefix. Raises ValueError."""
    return _BASE58_BTC.decode(text)
