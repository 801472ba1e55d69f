"""The `SealedRows` port: every encrypted value of the database, for the rotation of keys."""

from collections import Counter
from collections.abc import Mapping, Sequence

from workerpool_kit.mongo.database import Database

from workerpool_sms.adapters.mongo.documents import MODELS, SealedDocument, sealed_fields
from workerpool_sms.domain.sealed import Sealed

_MODELS: dict[str, type[SealedDocument]] = {model._meta["collection"]: model for model in MODELS}


class MongoSealedRows:
    """The rows of all collections, named `<collection>/<id>`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def key_ids(self) -> Mapping[str, int]:
        """Return the number of rows by key; see `SealedRows`."""
        return await self._database.run_once(_key_ids)

    async def not_sealed_with(self, key_id: str, limit: int) -> Sequence[tuple[str, str, Sealed]]:
        """Return rows of another key; see `SealedRows`."""
        return await self._database.run_once(_others, key_id, limit)

    async def exchange(self, row: str, old: Sealed, new: Sealed) -> bool:
        """Replace the value of a row; see `SealedRows`."""
        collection, _, identity = row.partition("/")
        wanted = {"pk": identity, "key_id": old.key_id, "data_key": old.data_key}
        return await self._database.run_once(
            lambda: bool(_MODELS[collection].objects(**wanted).update_one(**sealed_fields(new)))
        )


def _key_ids() -> Mapping[str, int]:
    found = Counter[str]()
    for model in MODELS:
        for group in model.objects.aggregate([{"$group": {"_id": "$key_id", "rows": {"$sum": 1}}}]):
            found[group["_id"]] += group["rows"]
    return found


def _others(key_id: str, limit: int) -> Sequence[tuple[str, str, Sealed]]:
    found: list[tuple[str, str, Sealed]] = []
    for collection, model in _MODELS.items():
        for document in model.objects(key_id__ne=key_id)[: limit - len(found)] if len(found) < limit else ():
            found.append((f"{collection}/{document.pk}", document.purpose, document.sealed))
    return found
