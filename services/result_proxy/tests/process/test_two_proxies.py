"""Several proxies on one database, broken uploads, many uploads at once, and the age of results."""

import asyncio
import contextlib
import hashlib
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pymongo
import pytest
from patience import PATIENCE_S
from workerpool_protocol.result_proxy.v1 import result_service_pb2 as pb

KIB, MIB = 1 << 10, 1 << 20
LONG_AGO = datetime.now(UTC) - timedelta(days=400)


@pytest.fixture
def two(own_proxy: Any) -> tuple[Any, Any]:
    """Return two proxies of one database, each with temporary files of its own."""
    first = own_proxy()
    environment = {
        **first.environment,
        "IEXEC_RESULT_PROXY_TEMP_DIR": first.environment["IEXEC_RESULT_PROXY_TEMP_DIR"] + "-2",
        # One public address: a reverse proxy stands before both.
        "IEXEC_RESULT_PROXY_PUBLIC_URL": f"http://127.0.0.1:{first.ports.http}",
    }
    return first, own_proxy(environment=environment)


async def test_tokens_authorizations_and_results_of_one_proxy_serve_the_other(
    two: tuple[Any, Any], on_chain: Any, client: Any
) -> None:
    first, second = two
    task = on_chain.revealed()
    token = await first.token(task.authorization, task.worker)
    assert await second.upload(token, client.messages(task))
    assert (await first.download(task.task_id))[1] == task.archive


async def test_of_uploads_to_both_at_once_one_is_stored_and_no_bytes_are_orphaned(
    two: tuple[Any, Any], on_chain: Any, mongod: Any
) -> None:
    tasks = [on_chain.revealed(os.urandom(600 * KIB)) for _ in range(4)]
    uploads = (proxy.upload_task(task) for task in tasks for proxy in two * 2)
    outcomes = await asyncio.gather(*uploads, return_exceptions=True)
    assert len([each for each in outcomes if isinstance(each, str)]) == len(tasks)
    refusals = [each for each in outcomes if not isinstance(each, str)]
    assert {each.code() for each in refusals if isinstance(each, grpc.aio.AioRpcError)} == {
        grpc.StatusCode.ALREADY_EXISTS
    }
    for task in tasks:
        for proxy in two:
            assert (await proxy.download(task.task_id))[1] == task.archive
    with pymongo.MongoClient[Any](mongod.uri) as mongo:
        database: Any = mongo[two[0].environment["MONGO_DATABASE"]]
        assert database["results"].count_documents({}) == len(tasks)
        assert database["archives.files"].count_documents({}) == len(tasks)
        assert database["announced_files"].count_documents({}) == 0
        stored = {each["file_id"] for each in database["results"].find()}
        assert {str(each) for each in database["archives.chunks"].distinct("files_id")} == stored


async def test_a_proxy_that_starts_leaves_the_uploads_of_the_other_alone(
    own_proxy: Any, on_chain: Any, client: Any
) -> None:
    first = own_proxy()
    task = on_chain.revealed(os.urandom(5 * MIB))
    token = await first.token(task.authorization, task.worker)
    go_on = asyncio.Event()

    async def slow() -> AsyncIterator[pb.UploadRequest]:
        for number, message in enumerate(client.messages(task)):
            if number == 4:
                await go_on.wait()
            yield message

    upload = asyncio.create_task(first.upload(token, slow()))
    await client.eventually(first.temporary_files)
    own_proxy(environment=first.environment)
    go_on.set()
    assert await upload
    assert (await first.download(task.task_id))[1] == task.archive


async def test_thirty_two_uploads_at_once_are_all_verified(own_proxy: Any, on_chain: Any) -> None:
    proxy = own_proxy()
    tasks = [on_chain.revealed(os.urandom(700 * KIB + number)) for number in range(32)]
    links = await asyncio.gather(*(proxy.upload_task(task) for task in tasks))
    assert len(set(links)) == 32
    for task in tasks:
        described = (await proxy.stub.GetResult(pb.GetResultRequest(task_id=task.task_id))).result
        assert described.sha256 == "0x" + hashlib.sha256(task.archive).hexdigest()
        assert (await proxy.download(task.task_id))[1] == task.archive
    assert proxy.temporary_files() == []


class TestContinuation:
    async def break_after(self, proxy: Any, token: str, messages: list[Any], client: Any) -> None:
        """Send some messages, and break the stream once they arrived."""

        async def part() -> AsyncIterator[pb.UploadRequest]:
            for message in messages:
                yield message
            await asyncio.Event().wait()

        arrived = sum(len(message.chunk) for message in messages)
        upload = asyncio.create_task(proxy.upload(token, part()))

        def all_there() -> bool:
            return any(
                path.stat().st_size == arrived
                for folder in proxy.temporary_files()
                for path in folder.glob("result.zip")
            )

        await client.eventually(all_there)
        upload.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await upload

    async def test_only_the_missing_bytes_are_sent(
        self, own_proxy: Any, on_chain: Any, client: Any, refused: Any
    ) -> None:
        proxy = own_proxy()
        task = on_chain.revealed(os.urandom(5 * MIB))
        token = await proxy.token(task.authorization, task.worker)
        metadata = (("authorization", f"Bearer {token}"),)
        # A proxy writes 4 MiB at once.
        header, *chunks = client.messages(task)
        request = pb.GetUploadRequest(header=header.header)

        async def offset() -> int:
            return int((await proxy.stub.GetUpload(request, metadata=metadata)).offset)

        assert await offset() == 0
        await self.break_after(proxy, token, [header, *chunks[:4]], client)
        async with asyncio.timeout(PATIENCE_S):
            while await offset() != 4 * MIB:
                pass  # each question takes a moment
        header.header.offset = 3 * MIB
        async with refused("UPLOAD_OFFSET_MISMATCH") as answer:
            await proxy.upload(token, iter([header, *chunks[3:]]))
        assert answer.details["offset"] == str(4 * MIB)
        header.header.offset = 4 * MIB
        assert await proxy.upload(token, iter([header, *chunks[4:]]))
        assert (await proxy.download(task.task_id))[1] == task.archive
        assert proxy.temporary_files() == []

    async def test_another_worker_learns_nothing_of_it(
        self, own_proxy: Any, on_chain: Any, client: Any, refused: Any
    ) -> None:
        proxy = own_proxy()
        header, *_ = client.messages(on_chain.revealed())
        async with refused("UNAUTHENTICATED"):
            await proxy.stub.GetUpload(pb.GetUploadRequest(header=header.header))


async def test_results_are_removed_after_their_retention(
    own_proxy: Any, on_chain: Any, client: Any, refused: Any, mongod: Any
) -> None:
    first = own_proxy()
    old, new = on_chain.revealed(b"old"), on_chain.revealed(b"new")
    for task in (old, new):
        await first.upload_task(task)
    with pymongo.MongoClient[Any](mongod.uri) as mongo:
        database: Any = mongo[first.environment["MONGO_DATABASE"]]
        database["results"].update_one({"_id": old.task_id}, {"$set": {"stored_at": LONG_AGO}})
        second = own_proxy(environment=first.environment, IEXEC_RESULT_PROXY_RETENTION="P365D")
        await client.eventually(lambda: database["archives.files"].count_documents({}) == 1)
        await client.eventually(lambda: database["announced_files"].count_documents({}) == 0)
        assert database["archives.chunks"].count_documents({}) == 1
    async with refused("RESULT_NOT_FOUND"):
        await first.stub.GetResult(pb.GetResultRequest(task_id=old.task_id))
    assert (await second.download(new.task_id))[1] == new.archive


async def test_an_upload_that_would_fill_the_disk_is_refused_in_words(
    own_proxy: Any, on_chain: Any, refused: Any
) -> None:
    proxy = own_proxy(IEXEC_RESULT_PROXY_MIN_FREE=str(1 << 60))
    async with refused("STORAGE_FULL") as answer:
        await proxy.upload_task(on_chain.revealed())
    assert answer.code is grpc.StatusCode.UNAVAILABLE
    assert "MiB free" in answer.message
    assert "operator" in answer.message
