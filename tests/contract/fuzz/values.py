"""Random values that break careless code: texts, numbers and bytes, some almost right, some far from it."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

_TEXTS = (
    "",
    " ",
    "0x",
    "0x0",
    "0X" + "a" * 40,
    "0x" + "g" * 64,
    "null",
    "NaN",
    "-1",
    "1e999",
    "../../etc/passwd",
    "/" * 300,
    "%00%2e%2e%2f",
    "\x00",
    "\r\nX: y",
    "\u202e\ufeff",
    "\U0001f4a9" * 50,
    "é" * 5_000,
    "$where",
    "{{7*7}}",
    '{"$gt":""}',
    "[" * 5_000,
    '{"a":' * 2_000,
    "'; DROP TABLE tasks; --",
    "http://[::1",
    "https://user:pw@host:99999/x y",
    "x" * 70_000,
)
_INTEGERS = (0, 1, -1, 2, 255, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1, -(2**31), -(2**63))


@dataclass(frozen=True)
class Values:
    """Draws values from a seeded generator; `known` are texts that exist on the pool, such as ids of its tasks."""

    random: random.Random
    known: Sequence[str]

    def text(self) -> str:
        """Return a text: known, mutated, notorious or random."""
        draw = self.random.random()
        if draw < 0.35:
            return self.random.choice(self.known)
        if draw < 0.55:
            return self._mutated(self.random.choice(self.known))
        if draw < 0.8:
            return self.random.choice(_TEXTS)
        if draw < 0.9:
            return "0x" + self.random.randbytes(self.random.choice((0, 1, 20, 32, 65, 66))).hex()
        return "".join(chr(self.random.randrange(1, 0xD7FF)) for _ in range(self.random.randrange(40)))

    def _mutated(self, text: str) -> str:
        place = self.random.randrange(len(text) + 1)
        inserted = self.random.choice(("", "0", "x", "\x00", "é", "/", text))
        return text[:place] + inserted + text[place + self.random.randrange(3) :]

    def integer(self, low: int, high: int) -> int:
        """Return an integer of the range, often at one of its ends."""
        if self.random.random() < 0.7:
            return max(low, min(high, self.random.choice(_INTEGERS)))
        return self.random.randint(low, high)

    def number(self) -> float:
        """Return a float, often not a number or infinite."""
        return self.random.choice((0.0, -0.0, 1e308, -1e308, 5e-324, float("inf"), float("nan"), 0.1))

    def data(self) -> bytes:
        """Return bytes, at most 64 KiB."""
        return self.random.randbytes(self.random.choice((0, 1, 31, 32, 33, 1_000, 65_536)))
