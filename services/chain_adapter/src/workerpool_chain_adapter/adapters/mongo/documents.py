"""The collections of the chain adapter: fields, indexes, and the values they store."""

from dataclasses import fields
from typing import Any, ClassVar

from mongoengine import (
    BinaryField,
    DateTimeField,
    DictField,
    Document,
    EmbeddedDocument,
    EmbeddedDocumentListField,
    EnumField,
    FloatField,
    IntField,
    ListField,
    StringField,
)

from workerpool_chain_adapter.domain.command import Command, CommandKey, CommandKind, CommandState
from workerpool_chain_adapter.domain.transaction import JournaledTransaction, TransactionState, Version

_COMMAND_FIELDS = [field.name for field in fields(Command) if field.name != "key"]


class CommandDocument(Document):  # type: ignore[misc]
    """A command. The id is `<kind>:<task id>`, so that each task has at most one command of a kind.

    The other fields are those of `Command`, under the same names. Times are Unix seconds.
    """

    id = StringField(primary_key=True)
    task_id = StringField(required=True)
    kind = EnumField(CommandKind, required=True)
    state = EnumField(CommandState, required=True)
    deal_id = StringField()
    task_index = IntField()
    result_link = StringField()
    callback_data = StringField()
    transaction_hash = StringField()
    block_number = IntField()
    gas_used = IntField()
    error_reason = StringField()
    error_message = StringField()
    attempts = IntField()
    created_at = FloatField(required=True)
    updated_at = FloatField(required=True)

    meta: ClassVar = {
        "collection": "commands",
        "indexes": ["task_id", ("state", "-created_at", "-id"), ("-created_at", "-id")],
    }

    @classmethod
    def of(cls, command: Command) -> "CommandDocument":
        """Return the document of a command."""
        task_id, kind = command.key
        values = {name: getattr(command, name) for name in _COMMAND_FIELDS}
        return cls(id=str(command.key), task_id=task_id, kind=kind, **values)

    def command(self) -> Command:
        """Return the stored command."""
        values = {name: getattr(self, name) for name in _COMMAND_FIELDS}
        return Command(key=CommandKey(self.task_id, self.kind), **values)


class VersionDocument(EmbeddedDocument):  # type: ignore[misc]
    """One signed form of a transaction. The price in wei is text, because it may exceed 64 bits."""

    hash = StringField(required=True)
    raw = BinaryField(required=True)
    gas_price = StringField(required=True)


class TransactionDocument(Document):  # type: ignore[misc]
    """A transaction. The id is `<wallet>:<nonce>`, so that the journal holds each nonce once."""

    id = StringField(primary_key=True)
    wallet = StringField(required=True)
    nonce = IntField(required=True)
    commands = ListField(StringField())
    data = BinaryField()
    gas = IntField(required=True)
    versions = EmbeddedDocumentListField(VersionDocument)
    created_at = FloatField(required=True)
    first_block = IntField(required=True)
    block_number = IntField()
    state = EnumField(TransactionState, required=True)

    meta: ClassVar = {"collection": "transactions", "indexes": [("wallet", "state", "nonce")]}

    @classmethod
    def of(cls, wallet: str, transaction: JournaledTransaction) -> "TransactionDocument":
        """Return the document of a wallet's transaction."""
        return cls(
            id=f"{wallet}:{transaction.nonce}",
            wallet=wallet,
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
            state=transaction.state,
        )

    def transaction(self) -> JournaledTransaction:
        """Return the stored transaction."""
        return JournaledTransaction(
            nonce=self.nonce,
            keys=tuple(CommandKey.parse(text) for text in self.commands),
            data=bytes(self.data or b""),
            gas=self.gas,
            versions=tuple(
                Version(each.hash, bytes(each.raw), int(each.gas_price)) for each in self.versions
            ),
            created_at=self.created_at,
            first_block=self.first_block,
            state=self.state,
            block_number=self.block_number,
        )


class OriginDocument(Document):  # type: ignore[misc]
    """The chain and hub that the journal belongs to."""

    id = StringField(primary_key=True)
    chain_id = IntField(required=True)
    hub_address = StringField(required=True)

    meta: ClassVar = {"collection": "origin"}


class LeaseDocument(Document):  # type: ignore[misc]
    """The holder of a wallet. Times are the database server's, so that hosts need no common clock."""

    id = StringField(primary_key=True)
    holder = StringField(required=True)
    where = DictField()
    expires_at = DateTimeField(required=True)

    meta: ClassVar = {"collection": "leases"}


MODELS = (CommandDocument, TransactionDocument, OriginDocument, LeaseDocument)


def checked(document: Document) -> dict[str, Any]:
    """Validate a document and return it as MongoDB stores it, for bulk writes that bypass mongoengine."""
    document.validate()
    return dict(document.to_mongo())
