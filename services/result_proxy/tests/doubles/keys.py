"""Signing keys of tokens in memory."""

from workerpool_kit.access.tokens import SigningKey


class MemoryKeys:
    """The kit's `KeyStore` over a list, which several token issuers may share."""

    def __init__(self) -> None:
        self.keys: list[SigningKey] = []

    def load(self) -> list[SigningKey]:
        """Return all stored keys."""
        return list(self.keys)

    def save(self, key: SigningKey) -> None:
        """Store a further key."""
        self.keys.append(key)
