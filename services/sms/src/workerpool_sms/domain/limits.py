"""Limits of stored secrets, because anyone may store them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from workerpool_poco.protocol.ids import Address

from workerpool_sms.domain.secrets import SecretKind

ROW_BYTES = 8 << 10
"""Most bytes of disk for the largest secret, with its index entries and the journal."""


class Limit(StrEnum):
    """The limit for which a secret was refused."""

    WALLET = "wallet"
    """Its wallet has stored too many."""
    TOTAL = "total"
    """All wallets together have stored too many."""
    DEPOSIT = "deposit"
    """What is left is reserved for wallets with a deposit, and its wallet has none, or has stored too many."""
    DISK = "disk"
    """The disk would be too full."""


@dataclass(frozen=True, slots=True)
class SecretLimits:
    """The most secrets of one wallet, those of its datasets and apps included, and of all wallets together.

    Wallets are free, so limits alone let one stranger fill the SMS. Half of the total is therefore reserved for what
    costs transactions: the secrets of datasets and apps, whose contracts are on chain, and a few secrets of each wallet
    with a deposit in the hub.
    """

    per_wallet: int
    total: int

    @property
    def unreserved(self) -> int:
        """Number of stored secrets from which on only the reserve is left."""
        return -(-self.total // 2)

    @property
    def per_wallet_in_reserve(self) -> int:
        """Most secrets of its own, without those of its datasets and apps, with which a wallet may use the reserve."""
        return max(self.per_wallet // 100, 1)


@dataclass(frozen=True, slots=True)
class StoredByWallet:
    """The secrets that one wallet stored: their number by kind, and their size in the database in bytes."""

    wallet: Address
    kinds: Mapping[SecretKind, int]
    size: int

    @property
    def secrets(self) -> int:
        """The number of the wallet's secrets."""
        return sum(self.kinds.values())


@dataclass(frozen=True, slots=True)
class OwnerPosition:
    """A position in the list of wallets with secrets, which starts with the most: the last one of a page."""

    secrets: int
    wallet: Address
