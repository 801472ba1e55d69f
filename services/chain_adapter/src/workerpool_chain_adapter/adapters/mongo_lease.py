"""The lease on the wallet in MongoDB: one document, taken and renewed by compare-and-set."""

from typing import Any

import mongoengine
import pymongo
from pymongo.collection import Collection
from workerpool_kit.mongo import Database
from workerpool_poco.protocol.ids import Address


class LeaseDocument(mongoengine.Document):  # type: ignore[misc]
    """Who may use the wallet now. Times are the database server's, so that clocks need not agree."""

    id = mongoengine.StringField(primary_key=True)
    holder = mongoengine.StringField(required=True)
    where = mongoengine.DictField()
    expires_at = mongoengine.DateTimeField(required=True)

    meta = {"collection": "leases"}  # noqa: RUF012  (mongoengine reads it)


class WalletLease:
    """The right of one `holder` to use the wallet with this journal, for `ttl_s` seconds at a time."""

    def __init__(
        self, database: Database, wallet: Address, holder: str, where: dict[str, Any], ttl_s: float
    ) -> None:
        self._database = database
        self._id = wallet
        self._holder = holder
        self._where = where
        self._ttl_ms = int(ttl_s * 1_000)

    async def take(self, *, although_held_by: str = "") -> dict[str, Any] | None:
        """Take or renew the lease; returns None, or the other holder and its place (host, process).

        The lease is free when nobody has it, when it has expired, when it is ours, or when its holder is
        `although_held_by` (somebody who is known to be dead).
        """
        return await self._database.insist(self._take, although_held_by)

    async def release(self) -> None:
        """Give the lease back, if it is ours."""
        await self._database.run(self._leases().delete_one, {"_id": self._id, "holder": self._holder})

    def _leases(self) -> Collection[dict[str, Any]]:
        return self._database.db[LeaseDocument._get_collection_name()]

    def _take(self, although_held_by: str) -> dict[str, Any] | None:
        # A document that is not there yet has no expiry, which compares as earlier than any time.
        free = {
            "$or": [
                {"$lt": ["$expires_at", "$$NOW"]},
                {"$in": ["$holder", [self._holder, although_held_by]]},
            ]
        }
        ours = {
            "_id": self._id,
            "holder": self._holder,
            "where": {"$literal": self._where},
            "expires_at": {"$add": ["$$NOW", self._ttl_ms]},
        }
        found = self._leases().find_one_and_update(
            {"_id": self._id},
            [{"$replaceWith": {"$cond": [free, ours, "$$ROOT"]}}],
            upsert=True,
            return_document=pymongo.ReturnDocument.AFTER,
        )
        assert found is not None  # it was inserted if it was not there
        return None if found["holder"] == self._holder else {"holder": found["holder"], **found["where"]}
