"""Limits of what strangers may store here."""

from dataclasses import dataclass
from enum import StrEnum

ROW_BYTES = 8 << 10
"""Bytes of disk that a secret of the largest size takes at most, its index entries and the journal included."""


class Limit(StrEnum):
    """What a secret was refused for."""

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
