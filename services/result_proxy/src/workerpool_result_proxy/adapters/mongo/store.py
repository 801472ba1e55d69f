"""The `Store` port in MongoDB."""

from collections.abc import Collection
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId
from mongoengine.errors import NotUniqueError
from workerpool_kit.mongo.database import Database
from workerpool_poco.protocol.authorization import WorkerpoolAuthorization
from workerpool_poco.protocol.ids import Address, TaskId

from workerpool_result_proxy.adapters.mongo.documents import AuthorizationDocument, ResultDocument
from workerpool_result_proxy.adapters.mongo.leased_files import LeasedFiles
from workerpool_result_proxy.domain.results import OrphanedFile, StoredResult

_LONGEST_TASK = timedelta(days=60)
"""Beyond the final deadline of a task of any category: 100 hours after the match for the longest."""


class MongoStore:
    """The store; a majority and its journal acknowledge every write (the write concern of the connection)."""

    def __init__(self, database: Database, *, owner: str, lease_s: float) -> None:
        """Create the store; `owner` identifies this process in its leases, which last `lease_s` seconds."""
        self._database = database
        self._leased = LeasedFiles(database, owner=owner, lease_s=lease_s)

    async def keep_authorization(
        self, authorization: WorkerpoolAuthorization, *, expires_at: datetime, most: int
    ) -> bool:
        """Store an authorization; see `Store`."""
        return await self._database.run_once(_keep_authorization, authorization, expires_at, most)

    async def is_authorized(self, task_id: TaskId, worker: Address) -> bool:
        """Return whether an authorization is stored; see `Store`."""
        wanted = {"task_id": task_id, "worker": worker}
        return await self._database.run_once(lambda: AuthorizationDocument.objects(**wanted).count() > 0)

    async def forget_authorizations(self, expired_before: datetime) -> int:
        """Remove expired authorizations; see `Store`."""
        return await self._database.run_once(_forget_authorizations, expired_before)

    async def find_result(self, task_id: TaskId) -> StoredResult | None:
        """Return the task's result; see `Store`."""
        found = await self._database.run_once(lambda: ResultDocument.objects(task_id=task_id).first())
        return found.result() if found else None

    async def announce(self, file_id: str, storage: str) -> None:
        """Lease a file before its bytes are written; see `Store`."""
        await self._database.run_once(self._leased.announce, file_id, storage)

    async def renew(self, file_ids: Collection[str]) -> None:
        """Extend leases; see `Store`."""
        await self._database.run_once(self._leased.renew, file_ids)

    async def commit(self, result: StoredResult) -> bool:
        """Store the only result of a task; see `Store`."""
        return await self._database.run_once(self._leased.commit, result)

    async def retract(self, file_id: str) -> None:
        """End the lease on a removed file; see `Store`."""
        await self._database.run_once(self._leased.retract, file_id)

    async def claim_orphans(self, dead: Collection[str] = ()) -> list[OrphanedFile]:
        """Lease the files of interrupted uploads; see `Store`."""
        return await self._database.run_once(self._leased.claim, dead)

    async def expire(self, stored_before: datetime) -> list[OrphanedFile]:
        """Remove old results; see `Store`."""
        return await self._database.run_once(self._leased.expire, stored_before)


def _keep_authorization(authorization: WorkerpoolAuthorization, expires_at: datetime, most: int) -> bool:
    others = AuthorizationDocument.objects(task_id=authorization.task_id, worker__ne=authorization.worker)
    if others.limit(most).count(with_limit_and_skip=True) >= most:
        return False
    # Keep the first one: both passed the checks, and a second signature adds nothing. If two processes insert at once,
    # the unique index refuses one.
    with suppress(NotUniqueError):
        AuthorizationDocument.objects(task_id=authorization.task_id, worker=authorization.worker).update_one(
            upsert=True,
            set_on_insert__enclave_challenge=authorization.enclave_challenge,
            set_on_insert__deal_id=authorization.deal_id,
            set_on_insert__task_index=authorization.task_index,
            set_on_insert__signature=authorization.signature,
            set_on_insert__expires_at=expires_at,
        )
    return True


def _forget_authorizations(expired_before: datetime) -> int:
    # The id of a document tells when it was made.
    made_before = ObjectId.from_datetime(expired_before - _LONGEST_TASK)
    undated = {"expires_at": None, "_id": {"$lt": made_before}}
    expired: dict[str, Any] = {"$or": [{"expires_at": {"$lt": expired_before}}, undated]}
    return int(AuthorizationDocument.objects(__raw__=expired).delete())
