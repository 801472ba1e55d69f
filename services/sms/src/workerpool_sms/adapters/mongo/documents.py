"""The collections of the SMS: fields, indexes, and conversions to domain values; every secret is encrypted."""

from typing import Any, ClassVar

from mongoengine import BinaryField, Document, FloatField, LongField, StringField
from workerpool_poco.protocol.ids import Address, TaskId

from workerpool_sms.domain.challenges import EnclaveChallenge, key_purpose
from workerpool_sms.domain.sealed import Sealed
from workerpool_sms.domain.secrets import SecretName


class SealedDocument(Document):  # type: ignore[misc]
    """A document with one encrypted value."""

    meta: ClassVar[dict[str, Any]] = {"abstract": True}

    key_id = StringField(required=True)
    data_key = BinaryField(required=True)
    content = BinaryField(required=True)

    @property
    def sealed(self) -> Sealed:
        """The encrypted value."""
        return Sealed(self.key_id, bytes(self.data_key), bytes(self.content))

    @property
    def purpose(self) -> str:
        """The purpose to which the encrypted value is bound."""
        raise NotImplementedError


def sealed_fields(sealed: Sealed) -> dict[str, Any]:
    """Return the fields of an encrypted value."""
    return {"key_id": sealed.key_id, "data_key": sealed.data_key, "content": sealed.content}


class SecretDocument(SealedDocument):
    """A secret; its id is the full name, so that a name exists once. `owner` is the wallet that stored it."""

    meta: ClassVar[dict[str, Any]] = {"collection": "secrets", "indexes": ["kind", "key_id", "owner"]}

    name = StringField(primary_key=True)
    kind = StringField(required=True)
    owner = StringField(required=True)

    @property
    def purpose(self) -> str:
        """The name of the secret."""
        return str(self.name)

    @classmethod
    def of(cls, name: SecretName, sealed: Sealed, owner: Address) -> "SecretDocument":
        """Return the document of a secret that the wallet `owner` stored."""
        return cls(name=name.id, kind=name.kind.value, owner=owner.lower(), **sealed_fields(sealed))


class ChallengeDocument(SealedDocument):
    """The key pair of a task; times in Unix seconds."""

    meta: ClassVar[dict[str, Any]] = {"collection": "challenges", "indexes": ["final_deadline", "key_id"]}

    task_id = StringField(primary_key=True)
    address = StringField(required=True)
    created_at = FloatField(required=True)
    final_deadline = LongField()

    @property
    def purpose(self) -> str:
        """The task of the key."""
        return key_purpose(TaskId(self.task_id))

    @classmethod
    def of(cls, challenge: EnclaveChallenge) -> "ChallengeDocument":
        """Return the document of a challenge."""
        return cls(
            task_id=challenge.task_id,
            address=challenge.address,
            created_at=challenge.created_at,
            final_deadline=challenge.final_deadline,
            **sealed_fields(challenge.private_key),
        )

    def challenge(self) -> EnclaveChallenge:
        """Return the stored challenge."""
        return EnclaveChallenge(
            TaskId(self.task_id), self.address, self.sealed, self.created_at, self.final_deadline
        )


class SessionDocument(SealedDocument):
    """A session before its only read; `expires_at` in Unix seconds."""

    meta: ClassVar[dict[str, Any]] = {"collection": "sessions", "indexes": ["expires_at", "key_id"]}

    session_id = StringField(primary_key=True)
    expires_at = LongField(required=True)

    @property
    def purpose(self) -> str:
        """The id of the session."""
        return f"session:{self.session_id}"


MODELS = (SecretDocument, ChallengeDocument, SessionDocument)
