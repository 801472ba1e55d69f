"""The journal, and the collections that follow it.

`append` runs in the event loop, because every acknowledgement waits for it. All other methods are synchronous and run
in the database's thread pool. Both use the driver directly, because mongoengine has no bulk writes for batches of
hundreds of changes per second (ADR 0003).
"""

from collections import defaultdict
from typing import Any

from pymongo import DeleteOne, InsertOne, ReplaceOne, UpdateMany
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import AutoReconnect, BulkWriteError, DuplicateKeyError
from pymongo.write_concern import WriteConcern
from workerpool_kit.logs import get_logger
from workerpool_kit.mongo.outages import outages_as_autoreconnect

from workerpool_core.adapters.mongo.changes import Bson, Change, Kind, merge_all
from workerpool_core.adapters.mongo.documents import APPLIED, CursorDocument, JournalDocument
from workerpool_core.errors import StoreDiverged

log = get_logger()

Operation = UpdateMany | ReplaceOne[Bson] | DeleteOne | InsertOne[Bson]

_DUPLICATE_KEY = 11000
_APPEND = WriteConcern(w="majority", j=True, wtimeout=10_000)
# The journal makes a change durable, so the collections need not wait for the disk. After a server crash, lost changes
# are applied again from the journal. Its entries are removed only once the collections cannot lose them (`trim`).
_APPLY = WriteConcern(w=1)
_BARRIER = 0
"""Number of an entry without changes."""
_JOURNAL: str = JournalDocument._get_collection_name()
_CURSOR: str = CursorDocument._get_collection_name()


class Journal:
    """The journal of durable batches, and their application to the collections."""

    def __init__(self, database: Database[Bson], event_loop_database: AsyncDatabase[Bson]) -> None:
        """Open the journal; `event_loop_database` is the same database through the event loop's client."""
        self._database = database
        self._entries: Collection[Bson] = database.get_collection(_JOURNAL, write_concern=_APPEND)
        self._new: AsyncCollection[Bson] = event_loop_database.get_collection(_JOURNAL, write_concern=_APPEND)
        self._server: object = None
        """The server process that holds, at least in memory, every change applied since the last `trim`."""

    async def append(self, number: int, changes: list[Bson]) -> None:
        """Make one batch durable (majority and journal). Safe to repeat when the outcome is unknown.

        Raises StoreDiverged when another process writes the same journal, AutoReconnect while no primary has a
        majority, and other errors of pymongo.
        """
        entry = {"_id": number, "changes": changes}
        with outages_as_autoreconnect():
            try:
                await self._new.insert_one(entry)
            except DuplicateKeyError:
                # Read with majority, because an entry that only this server holds may still be lost.
                found = await self._new.find_one({"_id": number})
                if found is None:
                    raise AutoReconnect(f"entry {number} has not reached a majority yet") from None
                if found != entry:
                    raise StoreDiverged(
                        f"another process wrote entry {number} of the journal; only one core may use a database"
                    ) from None

    def apply(self, changes: list[Change]) -> None:
        """Apply durable changes to the collections, in order.

        A crashed server may have lost earlier changes, so those are applied again first. A document that already
        contains its change is left unchanged, as in a replay. Raises StoreDiverged when a document of the same server
        process does not have the status that the scheduler's decision was based on.
        """
        if not changes:
            return
        if self._server_identity() != self._server:
            self.replay(min(change.first for change in changes) - 1)
        try:
            self._apply(changes)
        except StoreDiverged:
            if self._server_identity() == self._server:
                raise
            self.replay(max(change.last for change in changes))

    def _apply(self, changes: list[Change]) -> None:
        by_collection: dict[str, list[Change]] = defaultdict(list)
        for change in merge_all(changes):
            by_collection[change.collection].append(change)
        for name, group in by_collection.items():
            collection = self._database.get_collection(name, write_concern=_APPLY)
            matched, duplicates = _write(collection, [operation(change) for change in group])
            suspects = [group[at] for at in duplicates if group[at].exclusive]
            if matched + len(duplicates) != sum(change.kind is not Kind.REMOVE for change in group):
                suspects += [change for change in group if change.kind is Kind.ALTER]
            verify(collection, suspects)

    def trim(self, number: int) -> None:
        """Remove the entries before `number`, all of which are applied; keep the newest, which numbers the next one.

        A write with majority and journal waits for all earlier writes of its server. If that is still the server that
        applied the changes, they are durable; otherwise they are applied again.
        """
        self._entries.replace_one({"_id": _BARRIER}, {"changes": []}, upsert=True)
        if self._server_identity() == self._server:
            self._entries.delete_many({"_id": {"$lt": number}})
        else:
            self.replay(number)

    def recover(self) -> int:
        """Replay the journal after a start; return the number that the next entry follows.

        After an operator deleted the cursor, to start core from IEXEC_START_BLOCK_NUMBER, the journal does not restore
        it. After an operator dropped the journal, the numbers continue above those in the documents, because a document
        ignores a change with a lower number.
        """
        cursor = self._database[_CURSOR].find_one({"_id": CursorDocument.ID}, {"journal": 1})
        number_in_cursor = cursor.get("journal", 0) if cursor is not None else 0
        last = self.replay(skip=None if cursor is not None else _CURSOR)
        if last > 0 and number_in_cursor <= last:
            return last
        highest = max(number_in_cursor, *map(self._highest_number, APPLIED))
        if highest > last:
            log.warning("journal.renumbered", newest_entry=last, next_entry=highest + 1)
        return max(highest, last)

    def _highest_number(self, document: type[Any]) -> int:
        """Return the number of the newest entry in one collection, by a scan, because no index has these numbers."""
        newest: Bson = next(
            document.objects.aggregate([{"$group": {"_id": None, "newest": {"$max": "$journal"}}}]), {}
        )
        return int(newest.get("newest") or 0)

    def replay(self, newest: int | None = None, *, skip: str | None = None) -> int:
        """Apply the journal up to entry `newest`; return the number of the last entry, 0 for none.

        Changes of the collection `skip` are omitted.
        """
        self._server = self._server_identity()
        last = 0
        up_to = {} if newest is None else {"_id": {"$lte": newest}}
        for entry in self._entries.find(up_to, sort=[("_id", 1)], batch_size=50):
            last = entry["_id"]
            changes = [Change.from_bson(change, last) for change in entry["changes"]]
            self._apply([change for change in changes if change.collection != skip])
        log.info("journal.replayed", up_to=last)
        return last

    def _server_identity(self) -> object:
        """Return a value that identifies one process of one server."""
        hello = self._database.command("hello")
        return hello["me"], hello["topologyVersion"]["processId"]


def operation(change: Change) -> Operation:
    """Return the driver's operation for a change."""
    key: Bson = {"_id": change.id}
    match change.kind:
        case Kind.CREATE:
            # The server batches inserts, in half the time of upserts.
            return InsertOne({**key, **change.document, "journal": change.last})
        case Kind.PUT:
            return ReplaceOne(key, {**change.document, "journal": change.last}, upsert=True)
        case Kind.REMOVE:
            return DeleteOne(key)
        case Kind.ALTER:
            update: Bson = {"$set": {**change.fields, "journal": change.last}}
            if change.history:
                update["$push"] = {"history": {"$each": change.history}}
            # With UpdateOne the driver would retry a whole batch, possibly on another server.
            return UpdateMany({**key, "status": change.expected, "journal": {"$lt": change.first}}, update)


def _write(collection: Collection[Any], operations: list[Operation]) -> tuple[int, list[int]]:
    """Write in any order; return how many documents were inserted or matched, and the indexes of duplicate inserts."""
    try:
        result = collection.bulk_write(operations, ordered=False)
    except BulkWriteError as error:
        details = error.details or {}
        errors = details.get("writeErrors", [])
        if details.get("writeConcernErrors") or any(found["code"] != _DUPLICATE_KEY for found in errors):
            raise
        matched = details["nInserted"] + details["nMatched"] + details["nUpserted"]
        return matched, [found["index"] for found in errors]
    return result.inserted_count + result.matched_count + result.upserted_count, []


def verify(collection: Collection[Any], changes: list[Change]) -> None:
    """Raise StoreDiverged unless every document already contains its change."""
    if not changes:
        return
    held = {
        found["_id"]: (found.get("journal", 0), found.get("status"))
        for found in collection.find(
            {"_id": {"$in": [change.id for change in changes]}}, {"journal": 1, "status": 1}
        )
    }
    missing = [change for change in changes if held.get(change.id, (-1, None))[0] < change.last]
    if missing:
        raise StoreDiverged(
            "the database differs from the scheduler's memory; stop any other process that writes to it, then "
            "restart core",
            details={
                f"{collection.name} {change.id}": f"expected {change.expected or '-'}, found {held.get(change.id)}"
                for change in missing[:10]
            },
        )
