"""The journal in MongoDB: commands and transactions, written with majority and journal."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import takewhile
from typing import Any

import mongoengine
import pymongo
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError
from workerpool_kit.mongo import Database
from workerpool_poco.protocol.ids import Address

from workerpool_chain_adapter.domain.command import (
    FINAL_STATES,
    Command,
    CommandKey,
    CommandKind,
    CommandState,
)
from workerpool_chain_adapter.domain.transaction import JournaledTransaction, TransactionState, Version

_DUPLICATE_KEY = 11000


class CommandDocument(mongoengine.Document):  # type: ignore[misc]
    """A command; the id is ``<kind>:<task id>``, so that there is never a second one."""

    id = mongoengine.StringField(primary_key=True)
    task_id = mongoengine.StringField(required=True)
    kind = mongoengine.StringField(required=True, choices=[kind.value for kind in CommandKind])
    state = mongoengine.StringField(required=True, choices=[state.value for state in CommandState])
    deal_id = mongoengine.StringField()
    task_index = mongoengine.IntField()
    result_link = mongoengine.StringField()
    callback_data = mongoengine.StringField()
    transaction_hash = mongoengine.StringField()
    block_number = mongoengine.IntField()
    gas_used = mongoengine.IntField()
    error_reason = mongoengine.StringField()
    error_message = mongoengine.StringField()
    attempts = mongoengine.IntField()
    created_at = mongoengine.FloatField(required=True)
    updated_at = mongoengine.FloatField(required=True)

    meta = {  # noqa: RUF012  (mongoengine reads it)
        "collection": "commands",
        "indexes": ["task_id", ("state", "-created_at", "-id"), ("-created_at", "-id")],
    }


class VersionDocument(mongoengine.EmbeddedDocument):  # type: ignore[misc]
    """One signed form of a transaction; prices in wei are text, as they may exceed 64 bits."""

    hash = mongoengine.StringField(required=True)
    raw = mongoengine.BinaryField(required=True)
    gas_price = mongoengine.StringField(required=True)


class TransactionDocument(mongoengine.Document):  # type: ignore[misc]
    """A transaction; the id is ``<wallet>:<nonce>``, so that no nonce is ever journaled twice."""

    id = mongoengine.StringField(primary_key=True)
    wallet = mongoengine.StringField(required=True)
    nonce = mongoengine.IntField(required=True)
    commands = mongoengine.ListField(mongoengine.StringField())
    data = mongoengine.BinaryField()
    gas = mongoengine.IntField(required=True)
    versions = mongoengine.EmbeddedDocumentListField(VersionDocument)
    created_at = mongoengine.FloatField(required=True)
    first_block = mongoengine.IntField(required=True)
    block_number = mongoengine.IntField()
    state = mongoengine.StringField(required=True, choices=[state.value for state in TransactionState])

    meta = {"collection": "transactions", "indexes": [("wallet", "state", "nonce")]}  # noqa: RUF012


class OriginDocument(mongoengine.Document):  # type: ignore[misc]
    """Which chain and hub this journal is about; it means nothing on another one."""

    id = mongoengine.StringField(primary_key=True)
    chain_id = mongoengine.IntField(required=True)
    hub_address = mongoengine.StringField(required=True)

    meta = {"collection": "origin"}  # noqa: RUF012


MODELS = (CommandDocument, TransactionDocument, OriginDocument)


class NonceTaken(Exception):
    """The journal has a transaction with this nonce already: another adapter writes to it."""


class Journal:
    """Reads and writes of the journal; each call is one round trip, whatever the number of entries.

    What a caller asks for raises DatabaseAway while the database is away; what the adapter needs for its own
    work waits for it.
    """

    def __init__(self, database: Database, wallet: Address) -> None:
        self._database = database
        self._wallet = wallet

    # --- commands ------------------------------------------------------------

    async def add(self, commands: Sequence[Command]) -> list[Command | None]:
        """Add commands; for each the one that was there before instead, or None when it was added."""
        return await self._database.ask(self._add, commands)

    async def save(self, commands: Sequence[Command]) -> None:
        """Write the present form of commands."""
        if commands:
            await self._database.insist(self._save, commands)

    async def get(self, key: CommandKey) -> Command | None:
        """Return one command."""
        found = await self._database.ask(self._collection(CommandDocument).find_one, {"_id": str(key)})
        return _command(found) if found else None

    async def named(self, keys: Sequence[CommandKey]) -> list[Command]:
        """Return those of the commands that exist, oldest first."""
        query = {"_id": {"$in": [str(key) for key in keys]}}
        return await self._database.insist(self._find_commands, query, 1, 0) if keys else []

    async def live(self) -> list[Command]:
        """Return all commands that are not final, oldest first."""
        unfinished = [state.value for state in CommandState if state not in FINAL_STATES]
        return await self._database.insist(self._find_commands, {"state": {"$in": unfinished}}, 1, 0)

    async def page(
        self, size: int, before: tuple[float, str] | None, state: CommandState | None, task_id: str
    ) -> list[Command]:
        """Return up to `size` commands, newest first, that come after the position `before`."""
        query: dict[str, Any] = {}
        if state is not None:
            query["state"] = state.value
        if task_id:
            query["task_id"] = task_id
        if before is not None:
            at, last = before
            query["$or"] = [{"created_at": {"$lt": at}}, {"created_at": at, "_id": {"$lt": last}}]
        return await self._database.ask(self._find_commands, query, -1, size)

    # --- transactions --------------------------------------------------------

    async def add_transactions(self, transactions: Sequence[JournaledTransaction]) -> None:
        """Add new transactions, before any is sent. Raises NonceTaken."""
        documents = [self._transaction_document(each) for each in transactions]
        await self._database.insist(self._insert_transactions, documents)

    async def save_transactions(self, transactions: Sequence[JournaledTransaction]) -> None:
        """Write the present form of transactions."""
        if transactions:
            documents = [self._transaction_document(each) for each in transactions]
            await self._database.insist(self._replace, self._collection(TransactionDocument), documents)

    async def pending_transactions(self) -> list[JournaledTransaction]:
        """Return the transactions that are not known to have ended, by nonce."""
        return await self._database.insist(self._find_pending)

    async def ended_transactions(self, first: int, before: int | None) -> list[JournaledTransaction]:
        """Return those that ended, with nonces from `first` on and below `before` (None: without an end), by nonce."""
        return await self._database.insist(self._find_ended, first, before)

    async def last_mined(self, blocks: int) -> list[JournaledTransaction]:
        """Return the transactions mined in the newest block that has one, and in the `blocks` before it."""
        return await self._database.insist(self._find_last_mined, blocks)

    # --- synchronous side (runs in the database's threads) --------------------

    def _collection(self, model: type[mongoengine.Document]) -> Collection[dict[str, Any]]:
        return self._database.db[model._get_collection_name()]

    def _add(self, commands: Sequence[Command]) -> list[Command | None]:
        collection = self._collection(CommandDocument)
        try:
            collection.insert_many([_command_document(each) for each in commands], ordered=False)
        except BulkWriteError as error:
            problems = error.details["writeErrors"]
            if any(problem["code"] != _DUPLICATE_KEY for problem in problems):
                raise
            twice = [str(commands[problem["index"]].key) for problem in problems]
            existing = {each["_id"]: _command(each) for each in collection.find({"_id": {"$in": twice}})}
            refused = {problem["index"] for problem in problems}
            return [
                existing[str(each.key)] if index in refused else None for index, each in enumerate(commands)
            ]
        return [None] * len(commands)

    def _insert_transactions(self, documents: list[dict[str, Any]]) -> None:
        collection = self._collection(TransactionDocument)
        try:
            collection.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            problems = error.details["writeErrors"]
            if any(problem["code"] != _DUPLICATE_KEY for problem in problems):
                raise
            twice = [documents[problem["index"]] for problem in problems]
            there = {each["_id"]: each["versions"] for each in collection.find(_ids(twice))}
            # An insert that is repeated because its answer was lost finds its own transactions.
            taken = [each["nonce"] for each in twice if there.get(each["_id"]) != each["versions"]]
            if taken:
                raise NonceTaken(f"nonces {taken} of {self._wallet}") from error

    def _save(self, commands: Sequence[Command]) -> None:
        self._replace(self._collection(CommandDocument), [_command_document(each) for each in commands])

    @staticmethod
    def _replace(collection: Collection[dict[str, Any]], documents: Iterable[dict[str, Any]]) -> None:
        writes = [pymongo.ReplaceOne({"_id": each["_id"]}, each, upsert=True) for each in documents]
        collection.bulk_write(writes, ordered=False)

    def _find_commands(self, query: dict[str, Any], order: int, limit: int) -> list[Command]:
        found = self._collection(CommandDocument).find(query, limit=limit)
        return [_command(each) for each in found.sort([("created_at", order), ("_id", order)])]

    def _find_pending(self) -> list[JournaledTransaction]:
        query = {"wallet": self._wallet, "state": TransactionState.PENDING.value}
        found = self._collection(TransactionDocument).find(query).sort("nonce", 1)
        return [_transaction(each) for each in found]

    def _find_ended(self, first: int, before: int | None) -> list[JournaledTransaction]:
        nonces = {"$gte": first} if before is None else {"$gte": first, "$lt": before}
        ended = {"$ne": TransactionState.PENDING.value}
        found = self._collection(TransactionDocument).find(
            {"wallet": self._wallet, "state": ended, "nonce": nonces}
        )
        return [_transaction(each) for each in found.sort("nonce", 1)]

    def _find_last_mined(self, blocks: int) -> list[JournaledTransaction]:
        query = {"wallet": self._wallet, "state": TransactionState.MINED.value, "block_number": {"$gt": 0}}
        # Nonces are mined in their order, and have an index.
        newest_first = map(_transaction, self._collection(TransactionDocument).find(query).sort("nonce", -1))
        newest = next(newest_first, None)
        if newest is None:
            return []
        return [
            newest,
            *takewhile(lambda each: each.block_number >= newest.block_number - blocks, newest_first),
        ]

    def _transaction_document(self, transaction: JournaledTransaction) -> dict[str, Any]:
        document = TransactionDocument(
            id=f"{self._wallet}:{transaction.nonce}",
            wallet=self._wallet,
            nonce=transaction.nonce,
            commands=[str(key) for key in transaction.keys],
            data=transaction.data,
            gas=transaction.gas,
            versions=[
                VersionDocument(hash=each.hash, raw=each.raw, gas_price=str(each.gas_price))
                for each in transaction.versions
            ],
            created_at=transaction.created_at,
            first_block=transaction.first_block,
            block_number=transaction.block_number,
            state=transaction.state.value,
        )
        return _checked(document)


class JournalOrigin:
    """Binds a database to one chain and hub."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def bind(self, chain_id: int, hub_address: Address) -> tuple[int, Address]:
        """Return the chain and hub this database is about; the first caller decides."""
        return await self._database.run(self._bind, chain_id, hub_address)

    def _bind(self, chain_id: int, hub_address: Address) -> tuple[int, Address]:
        origins = self._database.db[OriginDocument._get_collection_name()]
        first = {"chain_id": chain_id, "hub_address": hub_address}
        found = origins.find_one_and_update(
            {"_id": "origin"},
            {"$setOnInsert": first},
            upsert=True,
            return_document=pymongo.ReturnDocument.AFTER,
        )
        assert found is not None  # it was inserted if it was not there
        return found["chain_id"], found["hub_address"]


def _ids(documents: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {"_id": {"$in": [each["_id"] for each in documents]}}


def _checked(document: mongoengine.Document) -> dict[str, Any]:
    document.validate()
    return dict(document.to_mongo())


def _command_document(command: Command) -> dict[str, Any]:
    fields = asdict(command)
    del fields["key"]
    task_id, kind = command.key
    return _checked(CommandDocument(id=str(command.key), task_id=task_id, kind=kind.value, **fields))


def _command(found: dict[str, Any]) -> Command:
    fields = {name: value for name, value in found.items() if name not in ("_id", "task_id", "kind", "state")}
    key = CommandKey(found["task_id"], CommandKind(found["kind"]))
    return Command(key=key, state=CommandState(found["state"]), **fields)


def _key(text: str) -> CommandKey:
    kind, _, task_id = text.partition(":")
    return CommandKey(task_id, CommandKind(kind))


def _transaction(found: dict[str, Any]) -> JournaledTransaction:
    return JournaledTransaction(
        nonce=found["nonce"],
        keys=tuple(_key(text) for text in found.get("commands", ())),
        data=bytes(found.get("data", b"")),
        gas=found["gas"],
        versions=tuple(
            Version(each["hash"], bytes(each["raw"]), int(each["gas_price"])) for each in found["versions"]
        ),
        created_at=found["created_at"],
        first_block=found["first_block"],
        state=TransactionState(found["state"]),
        # Journals from before this field was written have none.
        block_number=found.get("block_number", 0),
    )
