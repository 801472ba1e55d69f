"""Limits of stored secrets, because anyone may store them."""

from dataclasses import dataclass
from enum import StrEnum

ROW_BYTES = 8 << 10
"""Most bytes of disk for the largest secret, with its index entries and the journal."""


class Limit(StrEnum):
    """The limit for which a secret was refused."""

    WALLET = "wallet"
    """Its wallet has stored too many."""
    TOTAL = "total"
    """All wallets together have stored too many."""
    DISK = "disk"
    """The disk would be too full."""


@dataclass(frozen=True, slots=True)
class SecretLimits:
    """The most secrets of one wallet, those of its datasets and apps included, and of all wallets together."""

    per_wallet: int
    total: int
