"""The collections of the chain adapter: fields, indexes, and conversions to domain values."""

from dataclasses import asdict, fields
from typing import Any, ClassVar

from mongoengine import (
    BinaryField,
    BooleanField,
    DateTimeField,
    DictField,
    Document,
    EmbeddedDocument,
    EmbeddedDocumentField,
    EmbeddedDocumentListField,
    EnumField,
    FloatField,
    IntField,
    ListField,
    StringField,
)
from workerpool_poco.protocol.ids import Hex
from workerpool_transactions.domain.entry import Call, Entry, EntryState, Offer, Receipt, Version

from workerpool_chain_adapter.domain.command import Command, CommandKey, CommandKind, CommandState

_COMMAND_FIELDS = [field.name for field in fields(Command) if field.name != "key"]


class CommandDocument(Document):  # type: ignore[misc]
    """A command; the id is `<kind>:<task id>`, so that each task has at most one command of a kind.

    The other fields have the names of those of `Command`. Times are Unix seconds.
    """

    id = StringField(primary_key=True)
    task_id = StringField(required=True)
    kind = EnumField(CommandKind, required=True)
    state = EnumField(CommandState, required=True)
    deal_id = StringField()
    task_index = IntField()
    result_link = StringField()
    callback_data = StringField()
    order = StringField(default="")
    transaction_hash = StringField()
    block_number = IntField()
    gas_used = IntField()
    error_reason = StringField()
    error_message = StringField()
    attempts = IntField()
    reverts = IntField(default=0)
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
    """One signed version of a transaction; amounts in wei are text, because they may exceed 64 bits."""

    hash = StringField(required=True)
    raw = BinaryField(required=True)
    max_fee = StringField(required=True)
    tip = StringField()
    is_empty = BooleanField(default=False)

    @classmethod
    def of(cls, version: Version) -> "VersionDocument":
        """Return the document of a version."""
        offer = version.offer
        return cls(
            hash=version.hash,
            raw=version.raw,
            max_fee=str(offer.max_fee),
            tip=None if offer.tip is None else str(offer.tip),
            is_empty=version.is_empty,
        )

    def version(self) -> Version:
        """Return the stored version."""
        offer = Offer(int(self.max_fee), None if self.tip is None else int(self.tip))
        return Version(self.hash, bytes(self.raw), offer, self.is_empty)


class ReceiptDocument(EmbeddedDocument):  # type: ignore[misc]
    """The outcome of a mined version, with the fields of `Receipt`."""

    hash = StringField(required=True)
    succeeded = BooleanField(required=True)
    block_number = IntField(required=True)
    gas_used = IntField(required=True)
    block_hash = StringField()


class EntryDocument(Document):  # type: ignore[misc]
    """A journal entry; the id is `<wallet>:<nonce>`, so that the journal contains each nonce once.

    The labels are the keys of the transaction's commands. Times are Unix seconds.
    """

    id = StringField(primary_key=True)
    wallet = StringField(required=True)
    nonce = IntField(required=True)
    to = StringField(required=True)
    data = BinaryField()
    gas = IntField(required=True)
    value = StringField(required=True)
    labels = ListField(StringField())
    versions = EmbeddedDocumentListField(VersionDocument)
    created_at = FloatField(required=True)
    state = EnumField(EntryState, required=True)
    receipt = EmbeddedDocumentField(ReceiptDocument)
    updated_at = FloatField(required=True)

    meta: ClassVar = {
        "collection": "entries",
        "indexes": [("wallet", "state", "nonce"), ("wallet", "nonce"), ("wallet", "labels")],
    }

    @classmethod
    def of(cls, wallet: str, entry: Entry) -> "EntryDocument":
        """Return the document of a wallet's entry."""
        call, receipt = entry.call, entry.receipt
        return cls(
            id=f"{wallet}:{entry.nonce}",
            wallet=wallet,
            nonce=entry.nonce,
            to=call.to,
            data=call.data,
            gas=call.gas,
            value=str(call.value),
            labels=list(call.labels),
            versions=[VersionDocument.of(each) for each in entry.versions],
            created_at=entry.created_at,
            state=entry.state,
            receipt=None if receipt is None else ReceiptDocument(**asdict(receipt)),
            updated_at=entry.updated_at,
        )

    def entry(self) -> Entry:
        """Return the stored entry."""
        receipt = self.receipt
        return Entry(
            nonce=self.nonce,
            call=Call(self.to, bytes(self.data or b""), self.gas, tuple(self.labels), int(self.value)),
            versions=tuple(each.version() for each in self.versions),
            created_at=self.created_at,
            state=self.state,
            receipt=None
            if receipt is None
            else Receipt(
                receipt.hash,
                receipt.succeeded,
                receipt.block_number,
                receipt.gas_used,
                receipt.block_hash or Hex(""),
            ),
            updated_at=self.updated_at,
        )


class OriginDocument(Document):  # type: ignore[misc]
    """The chain and hub that the journal belongs to."""

    id = StringField(primary_key=True)
    chain_id = IntField(required=True)
    hub_address = StringField(required=True)

    meta: ClassVar = {"collection": "origin"}


class LeaseDocument(Document):  # type: ignore[misc]
    """The holder of a wallet; times are those of the database server, so that hosts need no synchronized clocks."""

    id = StringField(primary_key=True)
    holder = StringField(required=True)
    where = DictField()
    expires_at = DateTimeField(required=True)

    meta: ClassVar = {"collection": "leases"}


MODELS = (CommandDocument, EntryDocument, OriginDocument, LeaseDocument)


def checked(document: Document) -> dict[str, Any]:
    """Validate a document, and return its BSON form for bulk writes that bypass mongoengine."""
    document.validate()
    return dict(document.to_mongo())
