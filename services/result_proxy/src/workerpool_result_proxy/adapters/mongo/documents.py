"""The collections of the result proxy: fields, indexes, and conversions to domain values."""

from datetime import UTC, datetime
from typing import ClassVar

from mongoengine import BinaryField, DateTimeField, Document, FloatField, LongField, StringField
from workerpool_kit.access.tokens import SigningKey
from workerpool_poco.protocol.ids import TaskId, bytes32, to_hex

from workerpool_result_proxy.domain.results import GRIDFS, StoredResult


class AuthorizationDocument(Document):  # type: ignore[misc]
    """A checked authorization; one per task and worker. Documents of 0.1.0 lack `expires_at`."""

    meta: ClassVar = {
        "collection": "authorizations",
        "indexes": [{"fields": ("task_id", "worker"), "unique": True}, "expires_at"],
    }

    task_id = StringField(required=True)
    worker = StringField(required=True)
    enclave_challenge = StringField(required=True)
    deal_id = StringField(required=True)
    task_index = LongField(required=True)
    signature = BinaryField(required=True)
    expires_at = DateTimeField()


class ResultDocument(Document):  # type: ignore[misc]
    """The only result of a task; this document makes the bytes of `file_id` a result."""

    meta: ClassVar = {"collection": "results", "indexes": ["stored_at"]}

    task_id = StringField(primary_key=True)
    size = LongField(required=True)
    sha256 = StringField(required=True)
    result_digest = StringField(required=True)
    result_link = StringField(required=True)
    uploader = StringField(required=True)
    stored_at = DateTimeField(required=True)
    file_id = StringField(required=True, unique=True)
    storage = StringField(default=GRIDFS)

    @classmethod
    def of(cls, result: StoredResult) -> "ResultDocument":
        """Return the document of a result."""
        return cls(
            task_id=result.task_id,
            size=result.size,
            sha256=to_hex(result.sha256),
            result_digest=to_hex(result.result_digest),
            result_link=result.result_link,
            uploader=result.uploader,
            stored_at=result.stored_at,
            file_id=result.file_id,
            storage=result.storage,
        )

    def result(self) -> StoredResult:
        """Return the stored result."""
        stored_at: datetime = self.stored_at
        return StoredResult(
            task_id=TaskId(self.task_id),
            size=self.size,
            sha256=bytes32(self.sha256),
            result_digest=bytes32(self.result_digest),
            result_link=self.result_link,
            uploader=self.uploader,
            stored_at=stored_at if stored_at.tzinfo else stored_at.replace(tzinfo=UTC),
            file_id=self.file_id,
            storage=self.storage,
        )


class AnnouncedFile(Document):  # type: ignore[misc]
    """A lease on a file whose bytes are being written or removed; an expired one marks orphaned bytes.

    Documents of versions without leases lack the last three fields.
    """

    meta: ClassVar = {"collection": "announced_files"}

    file_id = StringField(primary_key=True)
    announced_at = DateTimeField(required=True)
    owner = StringField()
    lease_until = DateTimeField()
    storage = StringField(default=GRIDFS)


class SigningKeyDocument(Document):  # type: ignore[misc]
    """A key that signs tokens; `created_at` in Unix seconds."""

    meta: ClassVar = {"collection": "signing_keys"}

    kid = StringField(primary_key=True)
    secret = BinaryField(required=True)
    created_at = FloatField(required=True)

    @classmethod
    def of(cls, key: SigningKey) -> "SigningKeyDocument":
        """Return the document of a key."""
        return cls(kid=key.kid, secret=key.secret, created_at=key.created_at)


MODELS = (AuthorizationDocument, ResultDocument, AnnouncedFile, SigningKeyDocument)
