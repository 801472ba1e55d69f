"""The stored keys that sign workers' bearer tokens."""

from workerpool_kit.access.tokens import SigningKey
from workerpool_kit.mongo.database import Database

from workerpool_core.adapters.mongo.documents import SigningKeyDocument


class StoredKeys:
    """A `KeyStore` of the kit's `Tokens`. Both methods raise DatabaseUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self) -> list[SigningKey]:
        """Return all keys."""
        return await self._database.run_once(_load)

    async def save(self, key: SigningKey) -> None:
        """Store a new key durably (majority and journal)."""
        document = SigningKeyDocument(kid=key.kid, secret=key.secret, created_at=key.created_at)
        await self._database.run_once(document.save, force_insert=True)


def _load() -> list[SigningKey]:
    return [SigningKey(key.kid, bytes(key.secret), key.created_at) for key in SigningKeyDocument.objects]
