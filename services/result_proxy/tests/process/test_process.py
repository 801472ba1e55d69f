"""The process: its start, what a kill leaves and what the next start removes, its memory."""

import asyncio
import contextlib
import hashlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import grpc
import pymongo
import pytest
from patience import PATIENCE_S
from relays import Relay
from workerpool_devnet.processes.mongod import Database
from workerpool_devnet.processes.mongod import Database as Mongod
from workerpool_devnet.processes.ports import free_port
from workerpool_devnet.processes.process import ManagedProcess
from workerpool_protocol.result_proxy.v1 import result_service_pb2 as pb

MIB = 1 << 20


@pytest.fixture
def database_of(mongod: Mongod) -> Iterator[Callable[[Any], Any]]:
    clients: list[pymongo.MongoClient[dict[str, Any]]] = []

    def of(proxy: Any) -> Any:
        clients.append(pymongo.MongoClient(mongod.uri))
        return clients[-1][proxy.environment["MONGO_DATABASE"]]

    yield of
    for client in clients:
        client.close()


class TestKill:
    async def test_while_bytes_arrive(self, own_proxy: Any, on_chain: Any, client: Any) -> None:
        proxy = own_proxy()
        task = on_chain.revealed()
        token = await proxy.token(task.authorization, task.worker)

        async def half() -> AsyncIterator[pb.UploadRequest]:
            yield client.header_of(task, task.archive)
            yield pb.UploadRequest(chunk=task.archive[:10])
            await asyncio.Event().wait()

        upload = asyncio.create_task(proxy.upload(token, half()))
        await client.eventually(proxy.temporary_files)
        proxy.process.kill()
        with pytest.raises(grpc.aio.AioRpcError):
            await upload
        assert proxy.temporary_files()

        second = own_proxy(environment=proxy.environment)
        assert second.temporary_files() == []
        # The token of the first process is still valid, and so is the authorization it stored.
        assert await second.upload(token, client.messages(task))

    async def test_while_the_archive_is_stored(
        self, own_proxy: Any, on_chain: Any, client: Any, refused: Any, database_of: Any
    ) -> None:
        noise = os.urandom(64 * MIB)
        task = on_chain.revealed(noise)
        proxy = own_proxy()
        database = database_of(proxy)
        chunks, files = database["archives.chunks"], database["archives.files"]
        upload = asyncio.create_task(proxy.upload_task(task))
        await client.eventually(lambda: chunks.estimated_document_count() > 0)
        proxy.process.kill()
        with pytest.raises(grpc.aio.AioRpcError):
            await upload
        assert chunks.estimated_document_count() > 0
        assert database["results"].count_documents({}) == 0

        # The lease of a dead process of this machine ends with it.
        second = own_proxy(environment=proxy.environment)
        await client.eventually(lambda: database["announced_files"].count_documents({}) == 0)
        assert chunks.count_documents({}) == files.count_documents({}) == 0
        async with refused("RESULT_NOT_FOUND"):
            await second.stub.GetResult(pb.GetResultRequest(task_id=task.task_id))
        await second.upload_task(task)

        # The third process serves what the second acknowledged.
        second.process.kill()
        third = own_proxy(environment=proxy.environment)
        _, content = await third.download(task.task_id)
        assert hashlib.sha256(content).digest() == hashlib.sha256(task.archive).digest()

    async def test_a_caller_that_disconnects_after_its_last_byte(
        self, own_proxy: Any, on_chain: Any, client: Any, database_of: Any
    ) -> None:
        """There is a complete result or none, whatever the moment."""
        proxy = own_proxy()
        database = database_of(proxy)
        task = on_chain.revealed()
        token = await proxy.token(task.authorization, task.worker)
        sent = asyncio.Event()

        async def all_of_it() -> AsyncIterator[pb.UploadRequest]:
            for message in client.messages(task):
                yield message
            sent.set()

        upload = asyncio.create_task(proxy.upload(token, all_of_it()))
        await sent.wait()
        upload.cancel()
        await client.eventually(lambda: not proxy.temporary_files())

        def counted(collection: str) -> int:
            return int(database[collection].count_documents({}))

        await client.eventually(lambda: counted("archives.files") == counted("results"))
        if counted("results"):
            assert (await proxy.download(task.task_id))[1] == task.archive


async def test_memory_does_not_grow_with_the_archive(own_proxy: Any, on_chain: Any, client: Any) -> None:
    """200 MiB up and down, by gRPC and HTTP, need at most 64 MiB more than an idle process."""
    proxy = own_proxy()
    await proxy.upload_task(on_chain.revealed())  # imports and caches are complete
    before = proxy.memory()
    noise = os.urandom(200 * MIB)
    task = on_chain.revealed(noise)
    await proxy.upload_task(task)
    after_upload = proxy.memory()
    expected = hashlib.sha256(task.archive).digest()
    assert hashlib.sha256((await proxy.download(task.task_id))[1]).digest() == expected
    answer = await proxy.fetch(f"/results/{task.task_id}")
    assert hashlib.sha256(answer.content).digest() == expected
    growth = (after_upload - before) // MIB, (proxy.memory() - before) // MIB
    assert max(growth) <= 64, f"MiB after the upload and after the downloads: {growth}"


async def test_a_reader_that_stalls_does_not_fill_the_memory(
    own_proxy: Any, on_chain: Any, client: Any
) -> None:
    proxy = own_proxy()
    noise = os.urandom(100 * MIB)
    task = on_chain.revealed(noise)
    await proxy.upload_task(task)
    before = proxy.memory()
    call = proxy.stub.Download(pb.DownloadRequest(task_id=task.task_id))
    await call.read()
    # A second download completes while the first reader reads nothing.
    assert len((await proxy.download(task.task_id))[1]) == len(task.archive)
    growth = (proxy.memory() - before) // MIB
    call.cancel()
    assert growth <= 64


async def test_uploads_beyond_the_limit_are_refused_until_one_ends(
    own_proxy: Any, on_chain: Any, client: Any, refused: Any
) -> None:
    proxy = own_proxy(IEXEC_RESULT_PROXY_MAX_UPLOADS="1", IEXEC_RESULT_PROXY_UPLOAD_WAIT="PT0.5S")
    first, second = on_chain.revealed(), on_chain.revealed()
    token = await proxy.token(first.authorization, first.worker)
    go_on = asyncio.Event()

    async def slow() -> AsyncIterator[pb.UploadRequest]:
        stream = client.messages(first)
        yield next(stream)
        await go_on.wait()
        for message in stream:
            yield message

    upload = asyncio.create_task(proxy.upload(token, slow()))
    await client.eventually(proxy.temporary_files)
    async with refused("TOO_MANY_UPLOADS"):
        await proxy.upload_task(second)
    go_on.set()
    assert await upload
    assert await proxy.upload_task(second)


def own_process(database: Mongod) -> ManagedProcess:
    assert database.process is not None
    return database.process


class TestStart:
    async def test_a_hub_without_contract_ends_the_process(self, own_proxy: Any, client: Any) -> None:
        proxy = own_proxy(healthy=False, IEXEC_HUB_ADDRESS="0x" + "11" * 20)
        await client.eventually(lambda: not proxy.process.running)
        assert proxy.process.exit_code == 1
        last = proxy.process.log.read_text().splitlines()[-1]
        assert "no PoCo hub at 0x1111" in last
        assert "IEXEC_HUB_ADDRESS" in last

    async def test_a_node_of_another_chain_is_named_and_waited_for(self, own_proxy: Any, client: Any) -> None:
        proxy = own_proxy(healthy=False, IEXEC_CHAIN_ID="1")
        said = "serves chain 65535, not 1"
        await client.eventually(lambda: said in proxy.process.log.read_text())
        await client.eventually(lambda: proxy.health() == 503)
        assert proxy.process.running

    @pytest.mark.parametrize(
        ("wrong", "code", "said"),
        [
            ({"IEXEC_CHAIN_ID": "x"}, 2, "IEXEC_CHAIN_ID"),
            ({"IEXEC_RESULT_PROXY_MAXSIZE": "5"}, 2, "did you mean IEXEC_RESULT_PROXY_MAX_SIZE"),
            ({"IEXEC_RESULT_PROXY_TEMP_DIR": "/dev/null/x"}, 1, "IEXEC_RESULT_PROXY_TEMP_DIR"),
        ],
    )
    async def test_an_unusable_setting_is_named(
        self, own_proxy: Any, client: Any, wrong: Any, code: Any, said: Any
    ) -> None:
        proxy = own_proxy(healthy=False, **wrong)
        await client.eventually(lambda: not proxy.process.running)
        assert proxy.process.exit_code == code
        assert said in proxy.process.log.read_text()

    async def test_an_unreachable_node_is_waited_for(
        self, own_proxy: Any, on_chain: Any, client: Any, refused: Any
    ) -> None:
        task, port = on_chain.revealed(), free_port()
        proxy = own_proxy(healthy=False, IEXEC_BLOCKCHAIN_NODE_ADDRESS=f"http://127.0.0.1:{port}")
        await client.eventually(lambda: proxy.health() == 503)
        # Health answers before the gRPC port does.
        await client.eventually(proxy.listening)
        async with refused("CHAIN_UNREACHABLE") as answer:
            await proxy.token(task.authorization, task.worker)
        assert answer.code is grpc.StatusCode.UNAVAILABLE
        async with Relay(("127.0.0.1", port), ("127.0.0.1", on_chain.chain.chain.port)).running():
            await client.eventually(lambda: proxy.health() == 200)
            assert await proxy.upload_task(task)

    async def test_a_database_that_goes_away_is_waited_for(
        self, own_proxy: Any, on_chain: Any, client: Any, refused: Any, tmp_path: Any
    ) -> None:
        with Database(log=tmp_path / "mongod.log", folder=tmp_path / "mongod") as database:
            if database.external:
                pytest.skip("a shared database may not be killed")
            proxy = own_proxy(MONGO_URI=database.uri)
            task = on_chain.revealed()
            token = await proxy.token(task.authorization, task.worker)
            own_process(database).kill()
            async with refused("DATABASE_UNREACHABLE") as answer:
                await proxy.upload(token, client.messages(task))
            assert answer.code is grpc.StatusCode.UNAVAILABLE
            assert (await proxy.fetch(f"/results/{task.task_id}")).status_code == 503
            own_process(database).start()

            async def accepted() -> str:
                with contextlib.suppress(grpc.aio.AioRpcError):
                    return str(await proxy.upload(token, client.messages(task)))
                return ""

            async with asyncio.timeout(PATIENCE_S):
                while not await accepted():
                    pass  # each attempt waits for the database
            proxy.process.stop()

    async def test_it_stops_when_asked(self, own_proxy: Any) -> None:
        proxy = own_proxy()
        proxy.process.terminate()
        assert await asyncio.to_thread(proxy.process.wait, PATIENCE_S)
        assert proxy.process.exit_code == 0
        temp = proxy.environment["IEXEC_RESULT_PROXY_TEMP_DIR"]
        assert not [name for name in os.listdir(temp) if name.startswith("run-")]
