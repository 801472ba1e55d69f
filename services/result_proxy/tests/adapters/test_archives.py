"""The contract of `Archives`, over MongoDB (GridFS), IPFS (a real Kubo node) and memory."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import gridfs
import pytest
from workerpool_devnet.processes.kubo import Kubo
from workerpool_devnet.processes.ports import free_port
from workerpool_kit.dependencies.report import DependencyProblem
from workerpool_kit.mongo.database import Database
from workerpool_result_proxy.adapters.ipfs.ipfs_archives import IpfsArchives
from workerpool_result_proxy.adapters.ipfs.ipfs_content import KuboContent
from workerpool_result_proxy.adapters.ipfs.kubo import Kubo as KuboClient
from workerpool_result_proxy.adapters.mongo.gridfs_archives import CHUNK_BYTES, GridFsArchives
from workerpool_result_proxy.app.ports import Archives, BytesMissing
from workerpool_result_proxy.errors import ContentNotFound, StorageUnavailable

from services.result_proxy.tests.doubles.store import MemoryArchives

CONTENT = bytes(range(256)) * (10 * CHUNK_BYTES // 1024) + b"end"
"""Two and a half chunks and three bytes."""
CID = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"
"""A content id whose content no test stores."""


@pytest.fixture
async def gridfs_archives(database: Database) -> GridFsArchives:
    archives = GridFsArchives(database)
    await archives.prepare()
    return archives


@pytest.fixture
async def ipfs_archives(kubo: Kubo) -> AsyncIterator[IpfsArchives]:
    client = KuboClient(kubo.url)
    yield IpfsArchives(client)
    await client.close()


async def put(archives: Archives, content: bytes = CONTENT, *, piece: int = CHUNK_BYTES) -> str:
    """Store a file; return its id."""
    file_id = archives.new_id()
    async with archives.writing(file_id, len(content)) as writer:
        for start in range(0, len(content), piece):
            await writer.append(content[start : start + piece])
        await writer.finish()
    return file_id


async def read(archives: Archives, file_id: str, first: int, length: int) -> list[bytes]:
    return [piece async for piece in archives.read(file_id, first=first, length=length)]


# Building Kubo takes 9 minutes of processor time, which CI does not have.
IPFS = pytest.param("ipfs", marks=pytest.mark.soak)


@pytest.mark.parametrize("kind", ["gridfs", IPFS, "memory"])
class TestArchives:
    @pytest.fixture
    def archives(self, kind: str, request: pytest.FixtureRequest) -> Archives:
        return MemoryArchives() if kind == "memory" else request.getfixturevalue(f"{kind}_archives")

    @pytest.mark.parametrize("piece", [CHUNK_BYTES, 512 << 10, 1_000_003])
    async def test_a_stored_file_is_read_back_in_pieces(self, archives: Archives, piece: int) -> None:
        file_id = await put(archives, piece=piece)
        pieces = await read(archives, file_id, 0, len(CONTENT))
        assert b"".join(pieces) == CONTENT
        assert max(map(len, pieces)) <= CHUNK_BYTES

    async def test_any_part_can_be_read(self, archives: Archives) -> None:
        file_id = await put(archives)
        for first, length in (
            (0, 0),
            (1, 5),
            (CHUNK_BYTES - 1, 2),
            (CHUNK_BYTES, CHUNK_BYTES),
            (1, len(CONTENT) - 1),
            (len(CONTENT) - 1, 1),
            (len(CONTENT), 0),
        ):
            content = b"".join(await read(archives, file_id, first, length))
            assert content == CONTENT[first : first + length], (first, length)

    async def test_missing_bytes_are_an_error_and_not_a_shorter_archive(self, archives: Archives) -> None:
        with pytest.raises(BytesMissing):
            await read(archives, archives.new_id(), 0, 1)
        file_id = await put(archives, b"short")
        for length in (len(b"short") + 1, CHUNK_BYTES + 1):
            with pytest.raises(BytesMissing):
                await read(archives, file_id, 0, length)

    async def test_a_deleted_file_is_gone_and_deleting_again_is_accepted(self, archives: Archives) -> None:
        # Equal bytes: what one store keeps once belongs to both.
        kept, deleted = await put(archives), await put(archives)
        assert kept != deleted
        await archives.delete(deleted)
        await archives.delete(deleted)
        with pytest.raises(BytesMissing):
            await read(archives, deleted, 0, 1)
        assert await read(archives, kept, 0, 1) == [CONTENT[:1]]

    async def test_a_file_that_is_not_finished_can_be_deleted(self, archives: Archives) -> None:
        file_id = archives.new_id()
        with pytest.raises(RuntimeError, match="broken"):
            async with archives.writing(file_id, len(CONTENT)) as writer:
                await writer.append(CONTENT)
                raise RuntimeError("broken")
        await archives.delete(file_id)
        with pytest.raises(BytesMissing):
            await read(archives, file_id, 0, 1)

    async def test_many_files_are_written_at_once(self, archives: Archives) -> None:
        contents = [hashlib.shake_256(bytes([number])).digest(300_000) for number in range(8)]
        ids = await asyncio.gather(*(put(archives, content, piece=70_000) for content in contents))
        for file_id, content in zip(ids, contents, strict=True):
            assert b"".join(await read(archives, file_id, 0, len(content))) == content

    async def test_a_reader_that_leaves_early_is_accepted(self, archives: Archives) -> None:
        reading: Any = archives.read(await put(archives), first=0, length=len(CONTENT))
        assert await anext(reading)
        await reading.aclose()

    async def test_the_free_bytes_are_reported_or_unknown(self, archives: Archives) -> None:
        free = await archives.free_bytes()
        assert free is None or free > 0


async def test_any_gridfs_tool_can_read_an_archive(
    database: Database, gridfs_archives: GridFsArchives
) -> None:
    from bson import ObjectId

    file_id = await put(gridfs_archives)
    bucket = gridfs.GridFSBucket(database.db, "archives")
    stream = await database.run(bucket.open_download_stream, ObjectId(file_id))
    assert await database.run(stream.read) == CONTENT
    assert stream.filename == f"{file_id}.zip"


async def test_the_database_does_not_compress_archives_again(
    database: Database, gridfs_archives: GridFsArchives
) -> None:
    # A proxy that starts later finds the collection there.
    await GridFsArchives(database).prepare()
    stats = await database.run(database.db.command, "collStats", "archives.chunks")
    assert "block_compressor=none" in stats["wiredTiger"]["creationString"]
    assert stats["nindexes"] == 2


async def test_a_collection_of_an_earlier_version_stays(database: Database) -> None:
    chunks = database.db["archives.chunks"]
    await database.run(chunks.insert_one, {"files_id": 1, "n": 0, "data": b"old"})
    await GridFsArchives(database).prepare()
    assert await database.run(chunks.count_documents, {}) == 1


@pytest.mark.parametrize("pause", [0, 0.02], ids=["fast", "slow"])
async def test_a_large_file_is_read_whole_by_readers_of_any_speed(
    gridfs_archives: GridFsArchives, pause: float
) -> None:
    content = hashlib.shake_256(b"large").digest(13 * CHUNK_BYTES + 5)
    file_id = await put(gridfs_archives, content)
    for first in (0, 3 * CHUNK_BYTES - 1):
        digest, size = hashlib.sha256(), 0
        async for piece in gridfs_archives.read(file_id, first=first, length=len(content) - first):
            digest.update(piece)
            size += len(piece)
            await asyncio.sleep(pause)
        assert (size, digest.digest()) == (len(content) - first, hashlib.sha256(content[first:]).digest())


async def test_a_lost_chunk_is_named_before_the_first_byte(
    database: Database, gridfs_archives: GridFsArchives
) -> None:
    file_id = await put(gridfs_archives, CONTENT * 4)
    chunks = database.db["archives.chunks"]
    await database.run(chunks.delete_many, {"n": {"$in": [5, 8]}})
    reading = gridfs_archives.read(file_id, first=0, length=len(CONTENT) * 4)
    with pytest.raises(BytesMissing, match=f"files_id {file_id} lacks n = 5, 8"):
        await anext(reading)
    # What does not need it can be read.
    for first, length in ((0, 5 * CHUNK_BYTES), (6 * CHUNK_BYTES, CHUNK_BYTES)):
        pieces = await read(gridfs_archives, file_id, first, length)
        assert b"".join(pieces) == (CONTENT * 4)[first : first + length]
    with pytest.raises(BytesMissing, match="lacks n = 5"):
        await read(gridfs_archives, file_id, 6 * CHUNK_BYTES - 1, 2)


@pytest.mark.parametrize("change", [{"$set": {"data": b"cut"}}, {"$unset": {"data": ""}}])
async def test_a_chunk_that_lost_bytes_ends_the_stream_there(
    database: Database, gridfs_archives: GridFsArchives, change: Any
) -> None:
    file_id = await put(gridfs_archives, CONTENT * 4)
    await database.run(database.db["archives.chunks"].update_one, {"n": 3}, change)
    arrived = []
    with pytest.raises(BytesMissing, match="n = 3"):
        async for piece in gridfs_archives.read(file_id, first=1, length=len(CONTENT) * 4 - 1):
            arrived.append(piece)
    assert b"".join(arrived) == (CONTENT * 4)[1 : 3 * CHUNK_BYTES]


async def test_chunks_that_a_change_of_the_primary_lost_are_noticed(
    database: Database, gridfs_archives: GridFsArchives
) -> None:
    """A replaced primary may take back writes that only it had acknowledged."""
    file_id = gridfs_archives.new_id()
    async with gridfs_archives.writing(file_id, len(CONTENT)) as writer:
        await writer.append(CONTENT)
        await writer.settle()
        await database.run(database.db["archives.chunks"].delete_one, {})
        with pytest.raises(StorageUnavailable, match="lost 1 of 3 MiB"):
            await writer.finish()


async def test_nothing_is_written_after_a_cancelled_upload_has_ended(
    database: Database, gridfs_archives: GridFsArchives
) -> None:
    """A thread cannot be cancelled: what it still writes must not arrive after the removal of the file."""
    chunks, file_id = database.db["archives.chunks"], gridfs_archives.new_id()

    async def endless() -> None:
        async with gridfs_archives.writing(file_id, 1 << 40) as writer:
            while True:
                await writer.append(CONTENT[:CHUNK_BYTES])

    upload = asyncio.ensure_future(endless())
    while not await database.run(chunks.estimated_document_count):
        pass  # each question takes a moment
    upload.cancel()
    with pytest.raises(asyncio.CancelledError):
        await upload
    await gridfs_archives.delete(file_id)
    assert await database.run(chunks.count_documents, {}) == 0


async def test_a_write_that_fails_ends_the_file(database: Database, gridfs_archives: GridFsArchives) -> None:
    file_id = await put(gridfs_archives)
    with pytest.raises(Exception, match="duplicate key"):
        async with gridfs_archives.writing(file_id, 8 * CHUNK_BYTES) as writer:
            for _ in range(8):
                await writer.append(CONTENT[:CHUNK_BYTES])
            await writer.finish()


@pytest.mark.soak
class TestIpfs:
    async def test_the_location_is_the_content_id_that_the_node_itself_gives(
        self, kubo: Kubo, ipfs_archives: IpfsArchives
    ) -> None:
        async with ipfs_archives.writing(ipfs_archives.new_id(), len(CONTENT)) as writer:
            await writer.append(CONTENT)
            location = await writer.finish()
        given = await asyncio.to_thread(
            kubo.run,
            *("add", "-Q", "--cid-version=1", "--chunker=size-1048576", "--only-hash"),
            stdin=CONTENT,
        )
        assert location == f"/ipfs/{given.decode().strip()}"

    async def test_garbage_collection_keeps_stored_files_and_takes_deleted_ones(
        self, kubo: Kubo, ipfs_archives: IpfsArchives
    ) -> None:
        kept, deleted = await put(ipfs_archives, b"kept"), await put(ipfs_archives, b"deleted")
        cid = (await ipfs_archives._kubo.stat(f"/workerpool-results/{deleted[:6]}/{deleted}.zip")).cid  # type: ignore[union-attr]
        await ipfs_archives.delete(deleted)
        await asyncio.to_thread(kubo.run, "repo", "gc")
        assert await read(ipfs_archives, kept, 0, 4) == [b"kept"]
        with pytest.raises(ContentNotFound):
            await KuboContent(ipfs_archives._kubo).find(cid)

    async def test_a_node_that_is_away_is_said_so(self) -> None:
        """Scenario 35: not reachable."""
        client = KuboClient(f"http://127.0.0.1:{free_port()}")
        archives = IpfsArchives(client)
        try:
            for attempt in (
                put(archives),
                read(archives, archives.new_id(), 0, 1),
                archives.delete(archives.new_id()),
                KuboContent(client).find(CID),
            ):
                with pytest.raises(StorageUnavailable, match="does not answer"):
                    await attempt
            with pytest.raises(DependencyProblem, match="does not answer"):
                await client.check()
        finally:
            await client.close()

    async def test_the_gateway_finds_files_in_folders_and_refuses_the_rest(
        self, kubo: Kubo, ipfs_archives: IpfsArchives, tmp_path: Path
    ) -> None:
        (tmp_path / "folder" / "below").mkdir(parents=True)
        (tmp_path / "folder" / "below" / "file").write_bytes(b"found")
        cid = (await asyncio.to_thread(kubo.run, "add", "-rQ", str(tmp_path / "folder"))).decode().strip()
        content = KuboContent(ipfs_archives._kubo)
        found = await content.find(f"{cid}/below/file")
        assert found.size == 5
        assert b"".join([piece async for piece in content.read(found.cid, first=1, length=3)]) == b"oun"
        for path, said in (
            (cid, "folder"),
            (f"{cid}/other", "does not have"),
            (CID, "does not have"),
            ("nonsense", "not a content id"),
            (f"{cid}/../x", "not a content id"),
            ("", "not a content id"),
        ):
            with pytest.raises(ContentNotFound, match=said):
                await content.find(path)
