"""The keys that sign workers' bearer tokens, kept so that a token survives a restart of core."""

from pymongo.write_concern import WriteConcern
from workerpool_kit.access.tokens import SigningKey
from workerpool_kit.mongo import Database


class StoredKeys:
    """A `KeyStore` of the kit's `Tokens` in core's database. Synchronous: keys are read and written once a week."""

    def __init__(self, database: Database) -> None:
        self._keys = database.db.get_collection(
            "signingKey", write_concern=WriteConcern(w="majority", j=True)
        )

    def load(self) -> list[SigningKey]:
        """Return all keys."""
        return [
            SigningKey(found["_id"], bytes(found["secret"]), found["created_at"])
            for found in self._keys.find()
        ]

    def save(self, key: SigningKey) -> None:
        """Store one more key durably."""
        self._keys.insert_one({"_id": key.kid, "secret": key.secret, "created_at": key.created_at})
