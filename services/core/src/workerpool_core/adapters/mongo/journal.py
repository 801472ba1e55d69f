"""The journal and the collections behind it.

Appending happens in the event loop, since every acknowledgement waits for it; everything else is called in the
database's thread pool.
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
from workerpool_kit.mongo import outage_as_such

from workerpool_core.adapters.mongo.changes import Bson, Change, Kind, merge_all
from workerpool_core.errors import StoreDiverged

log = get_logger()

Operation = UpdateMany | ReplaceOne[Bson] | DeleteOne | InsertOne[Bson]

_DUPLICATE_KEY = 11000
_APPEND = WriteConcern(w="majority", j=True, wtimeout=10_000)
# The journal is what makes a change durable, so the collections behind it need not wait for the disk each time. What a
# server that died had not yet written there is applied once more, from entries that are removed only when it cannot
# be lost any more (`trim`).
_BEHIND = WriteConcern(w=1)
_BARRIER = 0
"""Number of an entry without changes."""


class Journal:
    """Appends batches durably and brings the collections up to date behind them."""

    def __init__(self, database: Database[Bson], at_once: AsyncDatabase[Bson]) -> None:
        """Prepare; `at_once` is the same database for the event loop."""
        self._database = database
        self._entries: Collection[Bson] = database.get_collection("journal", write_concern=_APPEND)
        self._new: AsyncCollection[Bson] = at_once.get_collection("journal", write_concern=_APPEND)
        self._server: object = None
        """The server process that holds every change in memory at least, that was applied since the last `trim`."""

    async def append(self, number: int, changes: list[Bson]) -> None:
        """Make one batch durable (majority and journal). May be repeated when it is not known whether it succeeded.

        Raises StoreDiverged when another process writes the same journal, AutoReconnect while there is no primary that
        a majority follows, and pymongo's other errors.
        """
        entry = {"_id": number, "changes": changes}
        with outage_as_such():
            try:
                await self._new.insert_one(entry)
            except DuplicateKeyError:
                # Read as a majority has it: an entry that only this server has may still be lost.
                found = await self._new.find_one({"_id": number})
                if found is None:
                    raise AutoReconnect(f"entry {number} has not reached a majority yet") from None
                if found != entry:
                    raise StoreDiverged(
                        f"another process wrote entry {number} of the journal; only one core may use a database"
                    ) from None

    def apply(self, changes: list[Change]) -> None:
        """Bring the collections up to date with changes that are durable, in their order.

        A server that died may have lost the changes before these, so they are applied once more first. A document
        that holds its change already, as in a replay, is left alone. Raises StoreDiverged when one does not have the
        status that the scheduler built its decision on, and the server is the same as before.
        """
        if not changes:
            return
        if self._identity() != self._server:
            self.replay(min(change.first for change in changes) - 1)
        try:
            self._apply(changes)
        except StoreDiverged:
            if self._identity() == self._server:
                raise
            self.replay(max(change.last for change in changes))

    def _apply(self, changes: list[Change]) -> None:
        by_collection: dict[str, list[Change]] = defaultdict(list)
        for change in merge_all(changes):
            by_collection[change.collection].append(change)
        for name, group in by_collection.items():
            collection = self._database.get_collection(name, write_concern=_BEHIND)
            done, known = _write(collection, [operation(change) for change in group])
            suspects = [group[at] for at in known if group[at].exclusive]
            if done + len(known) != sum(change.kind is not Kind.REMOVE for change in group):
                suspects += [change for change in group if change.kind is Kind.ALTER]
            verify(collection, suspects)

    def trim(self, number: int) -> None:
        """Remove the entries before `number`, all of which were applied. The newest stays, as the count of them all.

        A write with majority and journal waits for everything that its server did before it. So if that is still the
        server that the changes were applied on, they are durable; if not, they are applied once more instead.
        """
        self._entries.replace_one({"_id": _BARRIER}, {"changes": []}, upsert=True)
        if self._identity() == self._server:
            self._entries.delete_many({"_id": {"$lt": number}})
        else:
            self.replay(number)

    def replay(self, newest: int | None = None) -> int:
        """Apply what the journal holds, up to an entry; return the number of the last one, 0 for none."""
        self._server = self._identity()
        last = 0
        up_to = {} if newest is None else {"_id": {"$lte": newest}}
        for entry in self._entries.find(up_to, sort=[("_id", 1)], batch_size=50):
            last = entry["_id"]
            self._apply([Change.from_bson(change, last) for change in entry["changes"]])
        log.info("journal.replayed", up_to=last)
        return last

    def _identity(self) -> object:
        """Return what tells one life of one server from all others."""
        hello = self._database.command("hello")
        return hello["me"], hello["topologyVersion"]["processId"]


def operation(change: Change) -> Operation:
    """Return the driver's operation for a change."""
    key: Bson = {"_id": change.id}
    match change.kind:
        case Kind.CREATE:
            # An insert and not an upsert: the server takes many at once, and half the time for each.
            return InsertOne({**key, **change.document, "journal": change.last})
        case Kind.PUT:
            return ReplaceOne(key, {**change.document, "journal": change.last}, upsert=True)
        case Kind.REMOVE:
            return DeleteOne(key)
        case Kind.ALTER:
            update: Bson = {"$set": {**change.fields, "journal": change.last}}
            if change.history:
                update["$push"] = {"history": {"$each": change.history}}
            # Not UpdateOne, with which the driver repeats a whole batch by itself, on whichever server is there then.
            return UpdateMany({**key, "status": change.expected, "journal": {"$lt": change.first}}, update)


def _write(collection: Collection[Any], operations: list[Operation]) -> tuple[int, list[int]]:
    """Write in any order; return how many documents were inserted or found, and which inserts found theirs there."""
    try:
        result = collection.bulk_write(operations, ordered=False)
    except BulkWriteError as error:
        details = error.details or {}
        errors = details.get("writeErrors", [])
        if details.get("writeConcernErrors") or any(found["code"] != _DUPLICATE_KEY for found in errors):
            raise
        done = details["nInserted"] + details["nMatched"] + details["nUpserted"]
        return done, [found["index"] for found in errors]
    return result.inserted_count + result.matched_count + result.upserted_count, []


def verify(collection: Collection[Any], changes: list[Change]) -> None:
    """Raise StoreDiverged unless every document holds its change already."""
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
            "the database does not hold what the scheduler decided on; does another process write to it?",
            details={
                f"{collection.name} {change.id}": f"expected {change.expected or '-'}, found {held.get(change.id)}"
                for change in missing[:10]
            },
        )
