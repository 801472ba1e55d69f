"""The `WalletLease` port in MongoDB: one document, taken and renewed by compare-and-set."""

from collections.abc import Mapping
from typing import Any

import pymongo
from workerpool_kit.mongo.database import Database
from workerpool_poco.protocol.ids import Address

from workerpool_chain_adapter.adapters.mongo.documents import LeaseDocument


class MongoWalletLease:
    """The lease of `wallet` for one `holder`, which runs at `where`; each `take` is valid for `ttl_s` seconds."""

    def __init__(
        self, database: Database, wallet: Address, holder: str, where: Mapping[str, Any], ttl_s: float
    ) -> None:
        self._database = database
        self._id = wallet
        self._holder = holder
        self._where = dict(where)
        self._ttl_ms = int(ttl_s * 1_000)

    async def take(self, *, replacing: str = "") -> Mapping[str, Any] | None:
        """Take or renew the lease; see `WalletLease`."""
        return await self._database.run_with_retry(self._take, replacing)

    async def release(self) -> None:
        """Release the lease; see `WalletLease`."""
        await self._database.run_once(
            lambda: LeaseDocument.objects(id=self._id, holder=self._holder).delete()
        )

    def _take(self, replacing: str) -> Mapping[str, Any] | None:
        # A missing document has no expiry, which compares as earlier than any time.
        free = {
            "$or": [
                {"$lt": ["$expires_at", "$$NOW"]},
                {"$in": ["$holder", [self._holder, replacing]]},
            ]
        }
        ours = {
            "_id": self._id,
            "holder": self._holder,
            "where": {"$literal": self._where},
            "expires_at": {"$add": ["$$NOW", self._ttl_ms]},
        }
        # Bypass mongoengine, because its `modify` cannot compare with the server's clock.
        found = LeaseDocument._get_collection().find_one_and_update(
            {"_id": self._id},
            [{"$replaceWith": {"$cond": [free, ours, "$$ROOT"]}}],
            upsert=True,
            return_document=pymongo.ReturnDocument.AFTER,
        )
        return None if found["holder"] == self._holder else {**found["where"], "holder": found["holder"]}
