"""The `Store` port in MongoDB."""

from datetime import UTC, datetime

from mongoengine.errors import NotUniqueError
from workerpool_kit.mongo.database import Database
from workerpool_poco.protocol.authorization import WorkerpoolAuthorization
from workerpool_poco.protocol.ids import Address, TaskId

from workerpool_result_proxy.adapters.mongo.documents import (
    AnnouncedFile,
    AuthorizationDocument,
    ResultDocument,
)
from workerpool_result_proxy.domain.results import StoredResult


class MongoStore:
    """Every write is acknowledged by a majority and its journal: the write concern of the connection."""

    def __init__(self, database: Database) -> None:
        self._database = database

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

    async def announce(self, file_id: str) -> None:
        """Record a file that is about to be written; see `Store`."""
        entry = AnnouncedFile(file_id=file_id, announced_at=datetime.now(UTC))
        await self._database.run_once(entry.save, force_insert=True)

    async def commit(self, result: StoredResult) -> bool:
        """Store the result as the task's only one; see `Store`."""
        return await self._database.run_once(_commit, result)

    async def retract(self, file_id: str) -> None:
        """Forget an announced file; see `Store`."""
        await self._database.run_once(lambda: AnnouncedFile.objects(file_id=file_id).delete())

    async def announced(self) -> list[str]:
        """Return the files of interrupted uploads; see `Store`."""
        return await self._database.run_once(_announced)


def _keep_authorization(authorization: WorkerpoolAuthorization) -> None:
    # The first one stays: both passed the checks, and a second signature adds nothing.
    AuthorizationDocument.objects(task_id=authorization.task_id, worker=authorization.worker).update_one(
        upsert=True,
        set_on_insert__enclave_challenge=authorization.enclave_challenge,
        set_on_insert__deal_id=authorization.deal_id,
        set_on_insert__task_index=authorization.task_index,
        set_on_insert__signature=authorization.signature,
    )


def _commit(result: StoredResult) -> bool:
    try:
        ResultDocument.of(result).save(force_insert=True)
    except NotUniqueError:
        return False
    AnnouncedFile.objects(file_id=result.file_id).delete()
    return True


def _announced() -> list[str]:
    announced = {entry.file_id for entry in AnnouncedFile.objects.only("file_id")}
    # A crash right after the commit leaves the announcement of a stored result.
    kept = {entry.file_id for entry in ResultDocument.objects(file_id__in=list(announced)).only("file_id")}
    AnnouncedFile.objects(file_id__in=list(kept)).delete()
    return sorted(announced - kept)
