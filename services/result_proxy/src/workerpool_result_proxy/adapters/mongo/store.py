"""The `Store` port in MongoDB."""

from collections.abc import Collection
from contextlib import suppress
from datetime import datetime

from mongoengine.errors import NotUniqueError
from workerpool_kit.mongo.database import Database
from workerpool_poco.protocol.authorization import WorkerpoolAuthorization
from workerpool_poco.protocol.ids import Address, TaskId

from workerpool_result_proxy.adapters.mongo.documents import AuthorizationDocument, ResultDocument
from workerpool_result_proxy.adapters.mongo.leased_files import LeasedFiles
from workerpool_result_proxy.domain.results import OrphanedFile, StoredResult


class MongoStore:
    """Every write is acknowledged by a majority and its journal: the write concern of the connection."""

    def __init__(self, database: Database, *, owner: str, lease_s: float) -> None:
        """Prepare; `owner` identifies this process in its leases, which last `lease_s` seconds."""
        self._database = database
        self._leased = LeasedFiles(database, owner=owner, lease_s=lease_s)

    async def keep_authorization(self, authorization: WorkerpoolAuthorization) -> None:
        """Store an authorization; see `Store`."""
        await self._database.run_once(_keep_authorization, authorization)

    async def is_authorized(self, task_id: TaskId, worker: Address) -> bool:
        """Return whether an authorization is stored; see `Store`."""
        wanted = {"task_id": task_id, "worker": worker}
        return await self._database.run_once(lambda: AuthorizationDocument.objects(**wanted).count() > 0)

    async def find_result(self, task_id: TaskId) -> StoredResult | None:
        """Return the task's result; see `Store`."""
        found = await self._database.run_once(lambda: ResultDocument.objects(task_id=task_id).first())
        return found.result() if found else None

    async def announce(self, file_id: str, storage: str) -> None:
        """Lease a file that is about to be written; see `Store`."""
        await self._database.run_once(self._leased.announce, file_id, storage)

    async def renew(self, file_ids: Collection[str]) -> None:
        """Extend leases; see `Store`."""
        await self._database.run_once(self._leased.renew, file_ids)

    async def commit(self, result: StoredResult) -> bool:
        """Store the result as the task's only one; see `Store`."""
        return await self._database.run_once(self._leased.commit, result)

    async def retract(self, file_id: str) -> None:
        """Forget an announced file; see `Store`."""
        await self._database.run_once(self._leased.retract, file_id)

    async def claim_orphans(self, dead: Collection[str] = ()) -> list[OrphanedFile]:
        """Lease the files of interrupted uploads; see `Store`."""
        return await self._database.run_once(self._leased.claim, dead)

    async def expire(self, stored_before: datetime) -> list[OrphanedFile]:
        """Forget old results; see `Store`."""
        return await self._database.run_once(self._leased.expire, stored_before)


def _keep_authorization(authorization: WorkerpoolAuthorization) -> None:
    # The first one stays: both passed the checks, and a second signature adds nothing.
    # Of two processes that insert at once, one may meet the unique index.
    with suppress(NotUniqueError):
        AuthorizationDocument.objects(task_id=authorization.task_id, worker=authorization.worker).update_one(
            upsert=True,
            set_on_insert__enclave_challenge=authorization.enclave_challenge,
            set_on_insert__deal_id=authorization.deal_id,
            set_on_insert__task_index=authorization.task_index,
            set_on_insert__signature=authorization.signature,
        )
