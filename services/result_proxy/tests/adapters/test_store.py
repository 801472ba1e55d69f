"""The contract of `Store`, over MongoDB and over memory; and the stored keys of tokens."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from workerpool_kit.access.tokens import SigningKey
from workerpool_kit.mongo.database import Database
from workerpool_poco.protocol.authorization import WorkerpoolAuthorization
from workerpool_poco.protocol.ids import ZERO_ADDRESS, DealId, TaskId
from workerpool_result_proxy.adapters.mongo.documents import (
    AnnouncedFile,
    AuthorizationDocument,
    ResultDocument,
)
from workerpool_result_proxy.adapters.mongo.leased_files import LeasedFiles
from workerpool_result_proxy.adapters.mongo.signing_keys import MongoKeyStore
from workerpool_result_proxy.adapters.mongo.store import MongoStore
from workerpool_result_proxy.app.ports import Store
from workerpool_result_proxy.domain.results import GRIDFS, IPFS, OrphanedFile, StoredResult, link_for
from workerpool_result_proxy.errors import LeaseLost

from services.result_proxy.tests.doubles.store import MemoryStore

both = pytest.mark.parametrize("kind", ["mongo", "memory"])

TASK, OTHER_TASK = TaskId("0x" + "01" * 32), TaskId("0x" + "02" * 32)
WORKER, OTHER_WORKER = "0x" + "11" * 20, "0x" + "22" * 20


def authorization(
    task: TaskId = TASK, worker: str = WORKER, signature: bytes = b"s" * 65
) -> WorkerpoolAuthorization:
    return WorkerpoolAuthorization(worker, task, ZERO_ADDRESS, DealId("0x" + "dd" * 32), 2**32 - 1, signature)


def result(file_id: str, task: TaskId = TASK) -> StoredResult:
    return StoredResult(
        task_id=task,
        size=2**40,
        sha256=bytes([1] * 32),
        result_digest=bytes([2] * 32),
        result_link=link_for(task),
        uploader=WORKER,
        stored_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        file_id=file_id,
    )


OWNER = "one"
DEADLINE = datetime(2026, 1, 2, tzinfo=UTC)


async def keep(
    store: Store,
    shown: WorkerpoolAuthorization | None = None,
    *,
    expires_at: datetime = DEADLINE,
    most: int = 64,
) -> bool:
    return await store.keep_authorization(shown or authorization(), expires_at=expires_at, most=most)


@both
class TestStore:
    @pytest.fixture
    def stores(self, kind: str, request: pytest.FixtureRequest) -> Callable[..., Store]:
        """Return a function that gives the store of another process on the same data."""
        memory = MemoryStore()

        def of(owner: str, lease_s: float = 60) -> Store:
            if kind == "memory":
                return MemoryStore(owner=owner, lease_s=lease_s, beside=memory)
            return MongoStore(request.getfixturevalue("database"), owner=owner, lease_s=lease_s)

        if kind == "mongo":
            request.getfixturevalue("database")
        return of

    @pytest.fixture
    def store(self, stores: Callable[..., Store]) -> Store:
        return stores(OWNER)

    async def commit(self, store: Store, stored: StoredResult) -> bool:
        await store.announce(stored.file_id, stored.storage)
        return await store.commit(stored)

    async def test_an_authorization_counts_for_its_task_and_worker(self, store: Store) -> None:
        await keep(store)
        assert await store.is_authorized(TASK, WORKER)
        assert not await store.is_authorized(OTHER_TASK, WORKER)
        assert not await store.is_authorized(TASK, OTHER_WORKER)

    async def test_an_authorization_may_be_shown_twice(self, store: Store) -> None:
        await keep(store)
        await keep(store, authorization(signature=b"t" * 65))
        assert await store.is_authorized(TASK, WORKER)

    async def test_a_task_has_the_authorizations_of_a_number_of_workers(self, store: Store) -> None:
        workers = [f"0x{number:040x}" for number in range(3)]
        kept = [await keep(store, authorization(worker=worker), most=2) for worker in workers]
        assert kept == [True, True, False]
        assert not await store.is_authorized(TASK, workers[2])
        assert await keep(store, authorization(worker=workers[0]), most=2), "it is one of the two"
        assert await keep(store, authorization(OTHER_TASK, workers[2]), most=2), "of another task"

    async def test_an_authorization_is_forgotten_after_its_expiry(self, store: Store) -> None:
        later = DEADLINE + timedelta(seconds=1)
        await keep(store)
        await keep(store, authorization(OTHER_TASK), expires_at=later)
        assert await store.forget_authorizations(DEADLINE) == 0
        assert await store.forget_authorizations(later) == 1
        assert not await store.is_authorized(TASK, WORKER)
        assert await store.is_authorized(OTHER_TASK, WORKER)

    async def test_a_stored_result_is_read_back_equal(self, store: Store) -> None:
        assert await store.find_result(TASK) is None
        assert await self.commit(store, result("f" * 24))
        assert await store.find_result(TASK) == result("f" * 24)
        assert await store.find_result(OTHER_TASK) is None

    async def test_the_first_result_of_a_task_stays(self, store: Store) -> None:
        assert await self.commit(store, result("a" * 24))
        assert not await self.commit(store, result("b" * 24))
        found = await store.find_result(TASK)
        assert found is not None
        assert found.file_id == "a" * 24

    async def test_a_lease_protects_a_file_until_it_expires(self, stores: Callable[..., Store]) -> None:
        one, two = stores(OWNER), stores("two")
        await one.announce("a" * 24, GRIDFS)
        assert await two.claim_orphans() == []
        await stores(OWNER, lease_s=-1).announce("b" * 24, GRIDFS)
        assert await two.claim_orphans() == [OrphanedFile("b" * 24)]
        # It is leased by the process that removes it now.
        assert await one.claim_orphans() == []

    async def test_a_renewed_lease_lasts_and_only_its_owner_renews_it(
        self, stores: Callable[..., Store]
    ) -> None:
        await stores(OWNER, lease_s=-1).announce("a" * 24, GRIDFS)
        await stores("two").renew(["a" * 24])
        await stores(OWNER).renew(["a" * 24, "unknown"])
        assert await stores("two").claim_orphans() == []

    async def test_the_files_of_a_dead_process_are_claimed_at_once(
        self, stores: Callable[..., Store]
    ) -> None:
        await stores(OWNER).announce("a" * 24, IPFS)
        await stores("alive").announce("b" * 24, GRIDFS)
        assert await stores("two").claim_orphans([OWNER]) == [OrphanedFile("a" * 24, IPFS)]

    async def test_a_lease_that_another_process_took_cannot_be_committed(
        self, stores: Callable[..., Store]
    ) -> None:
        one = stores(OWNER, lease_s=-1)
        await one.announce("a" * 24, GRIDFS)
        assert await stores("two").claim_orphans() == [OrphanedFile("a" * 24)]
        with pytest.raises(LeaseLost, match="lease"):
            await one.commit(result("a" * 24))
        assert await one.find_result(TASK) is None
        await one.retract("a" * 24)
        assert await stores("three").claim_orphans(["two"]) == [OrphanedFile("a" * 24)]

    async def test_a_committed_or_retracted_file_is_no_orphan(self, stores: Callable[..., Store]) -> None:
        one = stores(OWNER, lease_s=-1)
        assert await self.commit(one, result("a" * 24))
        await one.announce("b" * 24, GRIDFS)
        await one.retract("b" * 24)
        await one.retract("b" * 24)
        assert await stores("two").claim_orphans([OWNER]) == []

    async def test_the_file_of_a_refused_result_is_an_orphan(self, stores: Callable[..., Store]) -> None:
        one = stores(OWNER, lease_s=-1)
        assert await self.commit(one, result("a" * 24))
        assert not await self.commit(one, result("b" * 24))
        assert await stores("two").claim_orphans() == [OrphanedFile("b" * 24)]

    async def test_old_results_become_orphans(self, stores: Callable[..., Store]) -> None:
        one, stored = stores(OWNER), result("a" * 24)
        assert await self.commit(one, stored)
        assert await one.expire(stored.stored_at) == []
        later = stored.stored_at + timedelta(seconds=1)
        assert await one.expire(later) == [OrphanedFile("a" * 24)]
        assert await one.expire(later) == []
        assert await one.find_result(TASK) is None
        # A crash before the bytes are removed leaves them to the next process.
        assert await stores("two").claim_orphans([OWNER]) == [OrphanedFile("a" * 24)]


async def test_of_many_processes_that_commit_at_once_one_stores_the_result(database: Database) -> None:
    stores = [MongoStore(database, owner=str(number), lease_s=60) for number in range(8)]
    files = [f"{number:024x}" for number in range(8)]
    for store, file_id in zip(stores, files, strict=True):
        await store.announce(file_id, GRIDFS)
    commits = (store.commit(result(file_id)) for store, file_id in zip(stores, files, strict=True))
    assert sorted(await asyncio.gather(*commits)) == [False] * 7 + [True]


async def test_of_many_processes_that_claim_at_once_one_gets_the_file(database: Database) -> None:
    await MongoStore(database, owner=OWNER, lease_s=-1).announce("a" * 24, GRIDFS)
    stores = [MongoStore(database, owner=str(number), lease_s=60) for number in range(8)]
    claims = await asyncio.gather(*(store.claim_orphans() for store in stores))
    assert sorted(map(len, claims)) == [0] * 7 + [1]


async def test_many_processes_may_store_an_authorization_at_once(database: Database) -> None:
    store = MongoStore(database, owner=OWNER, lease_s=60)
    await asyncio.gather(*(keep(store) for _ in range(16)))
    assert await database.run(AuthorizationDocument.objects.count) == 1


async def test_a_lease_is_timed_by_the_clock_of_the_server(database: Database) -> None:
    await database.run(LeasedFiles(database, owner=OWNER, lease_s=60).announce, "a" * 24, GRIDFS)
    found = await database.run(database.db["announced_files"].find_one, {"_id": "a" * 24})
    assert found is not None
    assert found["lease_until"] - found["announced_at"] == timedelta(seconds=60)
    hello = await database.run(database.db.command, "hello")
    now, announced = (at.replace(tzinfo=None) for at in (hello["localTime"], found["announced_at"]))
    assert abs(now - announced) < timedelta(seconds=30)


async def test_what_older_versions_left_is_cleaned_up(database: Database) -> None:
    """They wrote no lease, and could crash between the result and the end of its announcement."""
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    for letter in "ab":
        await database.run(AnnouncedFile(file_id=letter * 24, announced_at=long_ago).save)
    await database.run(AnnouncedFile.objects.update, unset__storage=1)
    await database.run(ResultDocument.of(result("a" * 24)).save)
    store = MongoStore(database, owner=OWNER, lease_s=60)
    assert await store.claim_orphans() == [OrphanedFile("b" * 24)]
    assert await store.find_result(TASK) == result("a" * 24)
    assert await database.run(AnnouncedFile.objects.count) == 1


async def test_the_first_signature_of_an_authorization_stays(database: Database) -> None:
    store = MongoStore(database, owner=OWNER, lease_s=60)
    await keep(store)
    await keep(store, authorization(signature=b"t" * 65))
    (found,) = await database.run(lambda: list(AuthorizationDocument.objects))
    assert (bytes(found.signature), found.task_index) == (b"s" * 65, 2**32 - 1)


async def test_an_authorization_of_0_1_0_is_forgotten_once_no_task_can_be_as_old(database: Database) -> None:
    store = MongoStore(database, owner=OWNER, lease_s=60)
    await keep(store)
    await database.run(AuthorizationDocument.objects.update, unset__expires_at=1)
    now = datetime.now(UTC)
    assert await store.forget_authorizations(now + timedelta(days=59)) == 0
    assert await store.forget_authorizations(now + timedelta(days=61)) == 1


async def test_keys_of_tokens_survive_and_old_ones_are_dropped(database: Database) -> None:
    keys = [SigningKey(f"key-{number}", bytes([number] * 32), 100.0 * number) for number in range(1, 4)]
    store = MongoKeyStore(database, keep_s=150)
    for key in keys:
        await store.save(key)
    assert sorted(await MongoKeyStore(database, keep_s=150).load(), key=lambda key: key.kid) == keys[1:]
