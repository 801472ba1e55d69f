"""The ports of secrets, challenges and sessions in MongoDB.

A majority and its journal acknowledge every write (the write concern of the connection).
"""

from collections.abc import Collection, Mapping, Sequence

from mongoengine.errors import NotUniqueError
from workerpool_kit.mongo.database import Database
from workerpool_poco.protocol.ids import Address, TaskId, address

from workerpool_sms.adapters.mongo.documents import (
    ChallengeDocument,
    SecretDocument,
    SessionDocument,
    sealed_fields,
)
from workerpool_sms.domain.challenges import EnclaveChallenge
from workerpool_sms.domain.limits import OwnerPosition, StoredByWallet
from workerpool_sms.domain.sealed import Sealed
from workerpool_sms.domain.secrets import SecretKind, SecretName


class MongoSecrets:
    """The `SecretStore` port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def exists(self, name: SecretName) -> bool:
        """Return whether a secret is stored; see `SecretStore`."""
        return await self._database.run_once(
            lambda: SecretDocument.objects(name=name.id).limit(1).count(True) > 0
        )

    async def find(self, name: SecretName) -> Sealed | None:
        """Return a stored secret; see `SecretStore`."""
        found = await self._database.run_once(lambda: SecretDocument.objects(name=name.id).first())
        return found.sealed if found else None

    async def add(self, name: SecretName, value: Sealed, owner: Address) -> bool:
        """Store a new secret; see `SecretStore`."""
        return await self._database.run_once(_insert, SecretDocument.of(name, value, owner))

    async def owned(
        self, owner: Address, most: int, kinds: Collection[SecretKind] = frozenset(SecretKind)
    ) -> int:
        """Return the number of a wallet's secrets; see `SecretStore`."""
        names = [each.value for each in kinds]
        return await self._database.run_once(
            lambda: int(SecretDocument.objects(owner=owner.lower(), kind__in=names).limit(most).count(True))
        )

    async def total(self) -> int:
        """Return the number of all secrets from the collection's metadata; see `SecretStore`."""
        return await self._database.run_once(
            lambda: int(SecretDocument._get_collection().estimated_document_count())
        )

    async def replace(self, name: SecretName, value: Sealed) -> bool:
        """Replace a secret; see `SecretStore`."""
        return await self._database.run_once(
            lambda: bool(SecretDocument.objects(name=name.id).update_one(**sealed_fields(value)))
        )

    async def counts(self) -> Mapping[SecretKind, int]:
        """Return the number of secrets of each kind; see `SecretStore`."""
        return await self._database.run_once(
            lambda: {kind: SecretDocument.objects(kind=kind.value).count() for kind in SecretKind}
        )

    async def owners(self, after: OwnerPosition | None, limit: int) -> Sequence[StoredByWallet]:
        """Return wallets with secrets; see `SecretStore`."""
        return await self._database.run_once(_owners, after, limit)

    async def remove(self, owner: Address, kinds: Collection[SecretKind]) -> int:
        """Remove a wallet's secrets; see `SecretStore`."""
        names = [each.value for each in kinds]
        return await self._database.run_once(
            lambda: int(SecretDocument.objects(owner=owner.lower(), kind__in=names).delete())
        )


class MongoChallenges:
    """The `ChallengeStore` port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, task_id: TaskId) -> EnclaveChallenge | None:
        """Return a challenge; see `ChallengeStore`."""
        found = await self._database.run_once(lambda: ChallengeDocument.objects(task_id=task_id).first())
        return found.challenge() if found else None

    async def add(self, challenge: EnclaveChallenge) -> EnclaveChallenge:
        """Store the first challenge of a task; see `ChallengeStore`."""
        return await self._database.run_once(_add_challenge, challenge)

    async def purge(self, *, now: float, without_deadline_before: float, limit: int) -> int:
        """Remove expired challenges; see `ChallengeStore`."""
        expired: dict[str, object] = {
            "$or": [
                {"final_deadline": {"$lte": int(now)}},
                {"final_deadline": None, "created_at": {"$lte": without_deadline_before}},
            ]
        }
        return await self._database.run_once(_purge_challenges, expired, limit)

    async def count(self) -> int:
        """Return the number of challenges; see `ChallengeStore`."""
        return await self._database.run_once(lambda: int(ChallengeDocument.objects.count()))


class MongoSessions:
    """The `SessionStore` port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, session_id: str, content: Sealed, expires_at: int) -> None:
        """Store a session; see `SessionStore`."""
        document = SessionDocument(session_id=session_id, expires_at=expires_at, **sealed_fields(content))
        await self._database.run_once(document.save, force_insert=True)

    async def take(self, session_id: str, now: float) -> Sealed | None:
        """Remove a session and return it; see `SessionStore`."""
        found = await self._database.run_once(
            lambda: SessionDocument.objects(session_id=session_id).modify(remove=True)
        )
        return found.sealed if found and found.expires_at > now else None

    async def purge(self, now: float) -> int:
        """Remove expired sessions; see `SessionStore`."""
        return await self._database.run_once(
            lambda: int(SessionDocument.objects(expires_at__lte=int(now)).delete())
        )


def _insert(document: SecretDocument) -> bool:
    try:
        document.save(force_insert=True)
    except NotUniqueError:
        return False
    return True


def _owners(after: OwnerPosition | None, limit: int) -> Sequence[StoredByWallet]:
    later: dict[str, object] = {}
    if after is not None:
        same = {"secrets": after.secrets, "_id": {"$gt": after.wallet.lower()}}
        later = {"$or": [{"secrets": {"$lt": after.secrets}}, same]}
    by_kind = {kind.name: {"$sum": {"$cond": [{"$eq": ["$kind", kind.value]}, 1, 0]}} for kind in SecretKind}
    size = {"size": {"$sum": {"$bsonSize": "$$ROOT"}}}
    stages: list[dict[str, object]] = [
        {"$group": {"_id": "$owner", "secrets": {"$sum": 1}} | size | by_kind},
        {"$match": later},
        {"$sort": {"secrets": -1, "_id": 1}},
        {"$limit": limit},
    ]
    return [
        StoredByWallet(
            address(found["_id"]),
            {kind: found[kind.name] for kind in SecretKind if found[kind.name]},
            found["size"],
        )
        for found in SecretDocument.objects.aggregate(stages, allowDiskUse=True)
    ]


def _add_challenge(challenge: EnclaveChallenge) -> EnclaveChallenge:
    try:
        ChallengeDocument.of(challenge).save(force_insert=True)
    except NotUniqueError:
        stored = ChallengeDocument.objects(task_id=challenge.task_id).first()
        # Purged between both calls: its task has ended, and the next check refuses the caller.
        return stored.challenge() if stored else challenge
    return challenge


def _purge_challenges(expired: dict[str, object], limit: int) -> int:
    found = [
        document.task_id for document in ChallengeDocument.objects(__raw__=expired).only("task_id")[:limit]
    ]
    return int(ChallengeDocument.objects(task_id__in=found).delete())
