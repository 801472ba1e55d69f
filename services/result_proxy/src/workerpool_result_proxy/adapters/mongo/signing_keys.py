"""The keys of tokens in MongoDB, so that a token survives a restart of the proxy."""

from workerpool_kit.access.tokens import SigningKey
from workerpool_kit.mongo.database import Database

from workerpool_result_proxy.adapters.mongo.documents import SigningKeyDocument


class MongoKeyStore:
    """The kit's `KeyStore`. A key is dropped `keep_s` seconds after its creation."""

    def __init__(self, database: Database, *, keep_s: float) -> None:
        self._database = database
        self._keep_s = keep_s

    async def load(self) -> list[SigningKey]:
        """Return all stored keys."""
        return await self._database.run_once(lambda: [found.key() for found in SigningKeyDocument.objects])

    async def save(self, key: SigningKey) -> None:
        """Store one more key, and drop those too old for any valid token."""
        await self._database.run_once(_save, key, key.created_at - self._keep_s)


def _save(key: SigningKey, drop_before: float) -> None:
    SigningKeyDocument.of(key).save(force_insert=True)
    SigningKeyDocument.objects(created_at__lt=drop_before).delete()
