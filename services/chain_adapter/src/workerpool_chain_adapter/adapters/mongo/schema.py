"""The migrations of the chain adapter's database."""

from typing import Any

from pymongo.database import Database as PyMongoDatabase
from workerpool_kit.mongo.migrations import Migration
from workerpool_poco.chain.signed_transactions import decode_transaction
from workerpool_transactions.domain.entry import Call, Entry, EntryState, Offer, Receipt, Version

from workerpool_chain_adapter.adapters.mongo.documents import EntryDocument, checked

_STATES = {
    # Possibly sent. The pipeline finds it mined, or resends it.
    "PENDING": EntryState.SIGNED,
    "MINED": EntryState.MINED,
    "REVERTED": EntryState.REVERTED,
    "REPLACED": EntryState.DISPLACED,
}
"""The current state for each state of a transaction in release 0.1.0."""
_MINED = frozenset({EntryState.MINED, EntryState.REVERTED})


def _transactions_to_entries(database: PyMongoDatabase[Any]) -> None:
    """Move the collection `transactions` of release 0.1.0 to `entries`."""
    earlier, entries = database["transactions"], database["entries"]
    for found in earlier.find():
        document = checked(EntryDocument.of(found["wallet"], _entry(found)))
        # After a crash the entry may exist and be newer than its transaction.
        entries.update_one({"_id": document.pop("_id")}, {"$setOnInsert": document}, upsert=True)
    earlier.drop()


def _entry(found: dict[str, Any]) -> Entry:
    state = _STATES[found["state"]]
    versions = tuple(
        Version(each["hash"], bytes(each["raw"]), Offer(int(each["gas_price"]))) for each in found["versions"]
    )
    transaction = decode_transaction(versions[-1].raw)[0].transaction
    assert transaction.to is not None
    # The mined version was not stored; the pipeline checks every version when this one is not found.
    receipt = Receipt(versions[-1].hash, state is EntryState.MINED, found.get("block_number", 0), 0)
    return Entry(
        nonce=found["nonce"],
        call=Call(
            transaction.to,
            bytes(found.get("data", b"")),
            found["gas"],
            tuple(found.get("commands", ())),
            transaction.value,
        ),
        versions=versions,
        created_at=found["created_at"],
        state=state,
        receipt=receipt if state in _MINED else None,
        updated_at=found["created_at"],
    )


MIGRATIONS = (
    Migration(2, "transactions of release 0.1.0 become entries", _transactions_to_entries, oldest_reader=2),
)
"""In order. Release 0.1.0 cannot read the result; a downgrade needs the backup made before the upgrade."""
