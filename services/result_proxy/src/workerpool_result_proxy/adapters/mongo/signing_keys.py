"""The keys of tokens in MongoDB, so that a token survives a restart of the proxy."""

from workerpool_kit.access.tokens import SigningKey
from workerpool_kit.logs import get_logger
from workerpool_kit.mongo.database import Database

from workerpool_result_proxy.adapters.mongo.documents import SigningKeyDocument

_MIN_BYTES = 32
"""Minimum length of a secret; a shorter one can be guessed (RFC 7518, section 3.2)."""

log = get_logger()


class MongoKeyStore:
    """The kit's `KeyStore`; it drops a key `keep_s` seconds after its creation."""

    def __init__(self, database: Database, *, keep_s: float) -> None:
        self._database = database
        self._keep_s = keep_s

    async def load(self) -> list[SigningKey]:
        """Return the stored keys, without malformed ones, which this proxy did not store."""
        return await self._database.run_once(_load)

    async def save(self, key: SigningKey) -> None:
        """Store a key, and drop those that are too old for any valid token."""
        await self._database.run_once(_save, key, key.created_at - self._keep_s)


def _load() -> list[SigningKey]:
    keys = []
    for found in SigningKeyDocument._get_collection().find():
        secret, created_at = found.get("secret"), found.get("created_at")
        if isinstance(secret, bytes) and len(secret) >= _MIN_BYTES and isinstance(created_at, float):
            keys.append(SigningKey(str(found["_id"]), secret, created_at))
        else:
            log.error(
                "token.key_rejected",
                kid=str(found["_id"])[:40],
                next_step="remove this document from the collection signing_keys; its tokens are refused",
            )
    return keys


def _save(key: SigningKey, drop_before: float) -> None:
    SigningKeyDocument.of(key).save(force_insert=True)
    SigningKeyDocument.objects(created_at__lt=drop_before).delete()
