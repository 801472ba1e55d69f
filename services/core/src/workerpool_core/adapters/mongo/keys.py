"""The stored keys that sign workers' bearer tokens."""

from workerpool_kit.access.tokens import SigningKey

from workerpool_core.adapters.mongo.documents import SigningKeyDocument


class StoredKeys:
    """A `KeyStore` of the kit's `Tokens`; synchronous, because keys are read once per start and written monthly."""

    def load(self) -> list[SigningKey]:
        """Return all keys."""
        return [SigningKey(key.kid, bytes(key.secret), key.created_at) for key in SigningKeyDocument.objects]

    def save(self, key: SigningKey) -> None:
        """Store a new key durably (majority and journal)."""
        SigningKeyDocument(kid=key.kid, secret=key.secret, created_at=key.created_at).save(force_insert=True)
