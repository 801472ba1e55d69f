"""What the result proxy remembers in MongoDB: authorizations, results, announced files, signing keys of tokens."""

from datetime import UTC, datetime
from typing import ClassVar

from mongoengine import BinaryField, DateTimeField, Document, FloatField, LongField, StringField
from mongoengine.errors import NotUniqueError
from workerpool_kit.access.tokens import SigningKey
from workerpool_kit.mongo import Database
from workerpool_poco.protocol.authorization import WorkerpoolAuthorization
from workerpool_poco.protocol.ids import Address, bytes32, to_hex

from workerpool_result_proxy.domain.results import StoredResult


class AuthorizationDocument(Document):  # type: ignore[misc]
    """A checked authorization; one per task and worker."""

    meta: ClassVar = {
        "collection": "authorizations",
        "indexes": [{"fields": ("task_id", "worker"), "unique": True}],
    }

    task_id = StringField(required=True)
    worker = StringField(required=True)
    enclave_challenge = StringField(required=True)
    deal_id = StringField(required=True)
    task_index = LongField(required=True)
    signature = BinaryField(required=True)


class ResultDocument(Document):  # type: ignore[misc]
    """A task's one result. Its existence is what makes the bytes of `file_id` a result."""

    meta: ClassVar = {"collection": "results"}

    task_id = StringField(primary_key=True)
    size = LongField(required=True)
    sha256 = StringField(required=True)
    result_digest = StringField(required=True)
    result_link = StringField(required=True)
    uploader = StringField(required=True)
    stored_at = DateTimeField(required=True)
    file_id = StringField(required=True, unique=True)


class AnnouncedFile(Document):  # type: ignore[misc]
    """A file whose bytes are being written: what a crash leaves behind is found by these."""

    meta: ClassVar = {"collection": "announced_files"}

    file_id = StringField(primary_key=True)
    announced_at = DateTimeField(required=True)


class SigningKeyDocument(Document):  # type: ignore[misc]
    """A key that signs tokens; `created_at` in unix seconds."""

    meta: ClassVar = {"collection": "signing_keys"}

    kid = StringField(primary_key=True)
    secret = BinaryField(required=True)
    created_at = FloatField(required=True)


MODELS = (AuthorizationDocument, ResultDocument, AnnouncedFile, SigningKeyDocument)


class MongoStore:
    """The `Store` port. Every write is acknowledged by a majority and its journal (the connection's write concern)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep_authorization(self, authorization: WorkerpoolAuthorization) -> None:
        """Remember an authorization; see `Store`."""
        await self._database.ask(_keep_authorization, authorization)

    async def is_authorized(self, task_id: bytes, worker: Address) -> bool:
        """Tell whether an authorization is known; see `Store`."""
        return await self._database.ask(
            lambda: AuthorizationDocument.objects(task_id=to_hex(task_id), worker=worker).count() > 0
        )

    async def find_result(self, task_id: bytes) -> StoredResult | None:
        """Return the task's result; see `Store`."""
        return await self._database.ask(_find_result, task_id)

    async def announce(self, file_id: str) -> None:
        """Remember a file about to be written; see `Store`."""
        entry = AnnouncedFile(file_id=file_id, announced_at=datetime.now(UTC))
        await self._database.ask(entry.save, force_insert=True)

    async def commit(self, result: StoredResult) -> bool:
        """Make the result the task's one and only; see `Store`."""
        return await self._database.ask(_commit, result)

    async def retract(self, file_id: str) -> None:
        """Forget an announced file; see `Store`."""
        await self._database.ask(lambda: AnnouncedFile.objects(file_id=file_id).delete())

    async def announced(self) -> list[str]:
        """Return files of interrupted uploads; see `Store`."""
        return await self._database.ask(_announced)


class MongoKeyStore:
    """The kit's `KeyStore`: keys of tokens, which thus outlive a restart. A key is dropped after `keep_s` seconds."""

    def __init__(self, database: Database, *, keep_s: float) -> None:
        self._database = database
        self._keep_s = keep_s

    async def load(self) -> list[SigningKey]:
        """Return all stored keys."""
        return await self._database.ask(_load_keys)

    async def save(self, key: SigningKey) -> None:
        """Store one more key, and drop those that no valid token can name any more."""
        await self._database.ask(_save_key, key, key.created_at - self._keep_s)


def _load_keys() -> list[SigningKey]:
    return [SigningKey(key.kid, bytes(key.secret), key.created_at) for key in SigningKeyDocument.objects]


def _save_key(key: SigningKey, drop_before: float) -> None:
    SigningKeyDocument(kid=key.kid, secret=key.secret, created_at=key.created_at).save(force_insert=True)
    SigningKeyDocument.objects(created_at__lt=drop_before).delete()


def _keep_authorization(authorization: WorkerpoolAuthorization) -> None:
    # The first one stays: both were checked, and the signature of the second adds nothing.
    AuthorizationDocument.objects(
        task_id=to_hex(authorization.task_id), worker=authorization.worker
    ).update_one(
        upsert=True,
        set_on_insert__enclave_challenge=authorization.enclave_challenge,
        set_on_insert__deal_id=to_hex(authorization.deal_id),
        set_on_insert__task_index=authorization.task_index,
        set_on_insert__signature=authorization.signature,
    )


def _find_result(task_id: bytes) -> StoredResult | None:
    found = ResultDocument.objects(task_id=to_hex(task_id)).first()
    if found is None:
        return None
    stored_at: datetime = found.stored_at
    return StoredResult(
        task_id=task_id,
        size=found.size,
        sha256=bytes32(found.sha256),
        result_digest=bytes32(found.result_digest),
        result_link=found.result_link,
        uploader=found.uploader,
        stored_at=stored_at if stored_at.tzinfo else stored_at.replace(tzinfo=UTC),
        file_id=found.file_id,
    )


def _commit(result: StoredResult) -> bool:
    entry = ResultDocument(
        task_id=to_hex(result.task_id),
        size=result.size,
        sha256=to_hex(result.sha256),
        result_digest=to_hex(result.result_digest),
        result_link=result.result_link,
        uploader=result.uploader,
        stored_at=result.stored_at,
        file_id=result.file_id,
    )
    try:
        entry.save(force_insert=True)
    except NotUniqueError:
        return False
    AnnouncedFile.objects(file_id=result.file_id).delete()
    return True


def _announced() -> list[str]:
    announced = {entry.file_id for entry in AnnouncedFile.objects.only("file_id")}
    # A crash right after the commit leaves the announcement of a good result behind.
    kept = {entry.file_id for entry in ResultDocument.objects(file_id__in=list(announced)).only("file_id")}
    AnnouncedFile.objects(file_id__in=list(kept)).delete()
    return sorted(announced - kept)
