"""Leases on files in MongoDB, timed by the clock of its server, because the clocks of proxies may differ."""

from collections.abc import Collection, Iterator
from typing import Any

import pymongo
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError
from workerpool_kit.mongo.database import Database

from workerpool_result_proxy.adapters.mongo.documents import AnnouncedFile, ResultDocument
from workerpool_result_proxy.domain.results import GRIDFS, OrphanedFile, StoredResult
from workerpool_result_proxy.errors import LeaseLost

_AT_ONCE = 100
_TRANSACTION_LIMIT_S = 10.0


class LeasedFiles:
    """The synchronous calls of `MongoStore` about leases, for the database's threads."""

    def __init__(self, database: Database, *, owner: str, lease_s: float) -> None:
        self._client = database.client
        self._files = database.db[AnnouncedFile._get_collection_name()]
        self._results = database.db[ResultDocument._get_collection_name()]
        self._owner = owner
        self._until = {"$add": ["$$NOW", int(lease_s * 1000)]}

    def announce(self, file_id: str, storage: str) -> None:
        """Lease a new file."""
        self._files.update_one({"_id": file_id}, self._lease(storage), upsert=True)

    def renew(self, file_ids: Collection[str]) -> None:
        """Extend leases of this process."""
        mine = {"_id": {"$in": list(file_ids)}, "owner": self._owner}
        self._files.update_many(mine, [{"$set": {"lease_until": self._until}}])

    def retract(self, file_id: str) -> None:
        """End a lease of this process."""
        self._files.delete_one({"_id": file_id, "owner": self._owner})

    def commit(self, result: StoredResult) -> bool:
        """Insert the result and end its lease in one transaction; see `Store`."""

        def both(session: ClientSession) -> None:
            ended = self._files.delete_one({"_id": result.file_id, "owner": self._owner}, session=session)
            if not ended.deleted_count:
                raise LeaseLost(
                    "the lease expired while the archive was being stored, and its bytes were removed; upload it again"
                )
            self._results.insert_one(ResultDocument.of(result).to_mongo(), session=session)

        try:
            with pymongo.timeout(_TRANSACTION_LIMIT_S), self._client.start_session() as session:
                session.with_transaction(both)
        except DuplicateKeyError:
            return False
        return True

    def claim(self, dead: Collection[str]) -> list[OrphanedFile]:
        """Take over expired leases and those of dead owners; see `Store.claim_orphans`."""
        return sorted(self._claims(dead))

    def expire(self, stored_before: Any) -> list[OrphanedFile]:
        """Replace some old results by leased files, each in a transaction; see `Store.expire`."""
        old = self._results.find({"stored_at": {"$lt": stored_before}}, {"file_id": 1, "storage": 1})
        return [self._forget(found) for found in old.limit(_AT_ONCE)]

    def _claims(self, dead: Collection[str]) -> Iterator[OrphanedFile]:
        expired = {"$expr": {"$lt": [{"$ifNull": ["$lease_until", "$announced_at"]}, "$$NOW"]}}
        free = {"$or": [expired, {"owner": {"$in": list(dead)}}]}
        for found in list(self._files.find(free, {"storage": 1}).limit(_AT_ONCE)):
            file_id, storage = found["_id"], found.get("storage", GRIDFS)
            taken = self._files.update_one({"_id": file_id, **free}, self._lease(storage))
            if not taken.matched_count:
                continue  # another process took it
            if self._results.count_documents({"file_id": file_id}, limit=1):
                # Versions without transactions could crash between the result and the end of its lease.
                self.retract(file_id)
            else:
                yield OrphanedFile(file_id, storage)

    def _forget(self, found: dict[str, Any]) -> OrphanedFile:
        file_id, storage = found["file_id"], found.get("storage", GRIDFS)

        def both(session: ClientSession) -> None:
            self._files.update_one({"_id": file_id}, self._lease(storage), upsert=True, session=session)
            self._results.delete_one({"_id": found["_id"], "file_id": file_id}, session=session)

        with pymongo.timeout(_TRANSACTION_LIMIT_S), self._client.start_session() as session:
            session.with_transaction(both)
        return OrphanedFile(file_id, storage)

    def _lease(self, storage: str) -> list[dict[str, Any]]:
        return [
            {
                "$set": {
                    "announced_at": {"$ifNull": ["$announced_at", "$$NOW"]},
                    "owner": self._owner,
                    "lease_until": self._until,
                    "storage": storage,
                }
            }
        ]
