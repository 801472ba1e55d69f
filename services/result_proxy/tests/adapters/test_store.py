"""The contracts of `Store` and `Archives`, over MongoDB and over memory; and the stored keys of tokens."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import gridfs
import pytest
from pydantic import SecretStr
from workerpool_devnet.processes.mongod import Database as Mongod
from workerpool_kit.access.tokens import SigningKey
from workerpool_kit.mongo.database import Database
from workerpool_kit.settings.base import MongoSettings
from workerpool_poco.protocol.authorization import WorkerpoolAuthorization
from workerpool_poco.protocol.ids import ZERO_ADDRESS, DealId, TaskId
from workerpool_result_proxy.adapters.mongo.documents import MODELS, AuthorizationDocument
from workerpool_result_proxy.adapters.mongo.gridfs_archives import CHUNK_BYTES, GridFsArchives
from workerpool_result_proxy.adapters.mongo.signing_keys import MongoKeyStore
from workerpool_result_proxy.adapters.mongo.store import MongoStore
from workerpool_result_proxy.app.ports import Archives, Store
from workerpool_result_proxy.domain.results import StoredResult, link_for

from services.result_proxy.tests.doubles.store import MemoryArchives, MemoryStore

both = pytest.mark.parametrize("kind", ["mongo", "memory"])

TASK, OTHER_TASK = TaskId("0x" + "01" * 32), TaskId("0x" + "02" * 32)
WORKER, OTHER_WORKER = "0x" + "11" * 20, "0x" + "22" * 20


@pytest.fixture
async def database(mongod: Mongod, database_name: str) -> AsyncIterator[Database]:
    settings = MongoSettings(mongo_uri=SecretStr(mongod.uri), mongo_database=database_name)
    database = await Database.connect(settings, models=MODELS)
    yield database
    await database.close()


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


@both
class TestStore:
    @pytest.fixture
    def store(self, kind: str, request: pytest.FixtureRequest) -> Store:
        return MemoryStore() if kind == "memory" else MongoStore(request.getfixturevalue("database"))

    async def test_an_authorization_counts_for_its_task_and_worker(self, store: Store) -> None:
        await store.keep_authorization(authorization())
        assert await store.is_authorized(TASK, WORKER)
        assert not await store.is_authorized(OTHER_TASK, WORKER)
        assert not await store.is_authorized(TASK, OTHER_WORKER)

    async def test_an_authorization_may_be_shown_twice(self, store: Store) -> None:
        await store.keep_authorization(authorization())
        await store.keep_authorization(authorization(signature=b"t" * 65))
        assert await store.is_authorized(TASK, WORKER)

    async def test_a_stored_result_is_read_back_equal(self, store: Store) -> None:
        assert await store.find_result(TASK) is None
        assert await store.commit(result("f" * 24))
        assert await store.find_result(TASK) == result("f" * 24)
        assert await store.find_result(OTHER_TASK) is None

    async def test_the_first_result_of_a_task_stays(self, store: Store) -> None:
        assert await store.commit(result("a" * 24))
        assert not await store.commit(result("b" * 24))
        found = await store.find_result(TASK)
        assert found is not None
        assert found.file_id == "a" * 24

    async def test_an_announced_file_is_known_until_it_is_committed_or_retracted(self, store: Store) -> None:
        for file_id in ("c" * 24, "a" * 24, "b" * 24):
            await store.announce(file_id)
        await store.commit(result("a" * 24))
        await store.retract("b" * 24)
        await store.retract("b" * 24)
        assert await store.announced() == ["c" * 24]

    async def test_the_file_of_a_refused_result_stays_announced(self, store: Store) -> None:
        await store.commit(result("a" * 24))
        await store.announce("b" * 24)
        await store.commit(result("b" * 24))
        assert await store.announced() == ["b" * 24]


async def test_a_crash_between_commit_and_retraction_does_not_orphan_the_result(database: Database) -> None:
    from workerpool_result_proxy.adapters.mongo.documents import AnnouncedFile, ResultDocument

    store = MongoStore(database)
    await store.announce("a" * 24)
    await database.run(ResultDocument.of(result("a" * 24)).save, force_insert=True)
    assert await store.announced() == []
    assert await database.run(AnnouncedFile.objects.count) == 0


async def test_the_first_signature_of_an_authorization_stays(database: Database) -> None:
    store = MongoStore(database)
    await store.keep_authorization(authorization())
    await store.keep_authorization(authorization(signature=b"t" * 65))
    (found,) = await database.run(lambda: list(AuthorizationDocument.objects))
    assert (bytes(found.signature), found.task_index) == (b"s" * 65, 2**32 - 1)


CONTENT = bytes(range(256)) * (10 * CHUNK_BYTES // 1024) + b"end"
"""Two and a half chunks and three bytes."""


@both
class TestArchives:
    @pytest.fixture
    def archives(self, kind: str, request: pytest.FixtureRequest) -> Archives:
        return MemoryArchives() if kind == "memory" else request.getfixturevalue("gridfs_archives")

    @pytest.fixture
    async def gridfs_archives(self, database: Database) -> GridFsArchives:
        archives = GridFsArchives(database)
        await archives.prepare()
        return archives

    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        path = tmp_path / "archive.zip"
        path.write_bytes(CONTENT)
        return path

    async def read(self, archives: Archives, file_id: str, first: int, length: int) -> list[bytes]:
        return [piece async for piece in archives.read(file_id, first=first, length=length)]

    async def test_a_stored_file_is_read_back_in_pieces(self, archives: Archives, file: Path) -> None:
        file_id = archives.new_id()
        await archives.put(file_id, file)
        pieces = await self.read(archives, file_id, 0, len(CONTENT))
        assert b"".join(pieces) == CONTENT
        assert max(map(len, pieces)) <= CHUNK_BYTES

    @pytest.mark.parametrize(
        ("first", "length"),
        [
            (0, 0),
            (1, 5),
            (CHUNK_BYTES - 1, 2),
            (CHUNK_BYTES, CHUNK_BYTES),
            (len(CONTENT) - 1, 1),
            (len(CONTENT), 0),
        ],
    )
    async def test_any_part_can_be_read(
        self, archives: Archives, file: Path, first: int, length: int
    ) -> None:
        file_id = archives.new_id()
        await archives.put(file_id, file)
        assert b"".join(await self.read(archives, file_id, first, length)) == CONTENT[first : first + length]

    async def test_missing_bytes_are_an_error_and_not_a_shorter_archive(
        self, archives: Archives, file: Path
    ) -> None:
        with pytest.raises(LookupError):
            await self.read(archives, archives.new_id(), 0, 1)

    async def test_a_deleted_file_is_gone_and_deleting_again_is_accepted(
        self, archives: Archives, file: Path
    ) -> None:
        kept, deleted = archives.new_id(), archives.new_id()
        assert kept != deleted
        for file_id in (kept, deleted):
            await archives.put(file_id, file)
        await archives.delete(deleted)
        await archives.delete(deleted)
        with pytest.raises(LookupError):
            await self.read(archives, deleted, 0, 1)
        assert await self.read(archives, kept, 0, 1) == [CONTENT[:1]]

    async def test_an_empty_file_can_be_stored(self, archives: Archives, tmp_path: Path) -> None:
        (tmp_path / "empty").touch()
        file_id = archives.new_id()
        await archives.put(file_id, tmp_path / "empty")
        assert await self.read(archives, file_id, 0, 0) == []


async def test_any_gridfs_tool_can_read_an_archive(database: Database, tmp_path: Path) -> None:
    from bson import ObjectId

    (tmp_path / "archive.zip").write_bytes(CONTENT)
    archives = GridFsArchives(database)
    await archives.prepare()
    file_id = archives.new_id()
    await archives.put(file_id, tmp_path / "archive.zip")
    bucket = gridfs.GridFSBucket(database.db, "archives")
    stream = await database.run(bucket.open_download_stream, ObjectId(file_id))
    assert await database.run(stream.read) == CONTENT
    assert stream.filename == f"{file_id}.zip"


async def test_keys_of_tokens_survive_and_old_ones_are_dropped(database: Database) -> None:
    keys = [SigningKey(f"key-{number}", bytes([number] * 32), 100.0 * number) for number in range(1, 4)]
    store = MongoKeyStore(database, keep_s=150)
    for key in keys:
        await store.save(key)
    assert sorted(await MongoKeyStore(database, keep_s=150).load(), key=lambda key: key.kid) == keys[1:]
