"""Results in IPFS: a real Kubo node behind a real process."""

import asyncio
import http.client
import json
import os
from pathlib import Path
from typing import Any

import grpc
import pymongo
import pytest
from patience import PATIENCE_S
from workerpool_devnet.processes.kubo import Kubo
from workerpool_devnet.processes.ports import free_port
from workerpool_protocol.result_proxy.v1 import result_service_pb2 as pb

MIB = 1 << 20
ROOT = "/workerpool-results"


def stored_files(kubo: Kubo) -> set[str]:
    """Return the names of all archives in the node's own tree."""
    kubo.run("files", "mkdir", "-p", ROOT)
    folders = kubo.run("files", "ls", ROOT).decode().split()
    return {
        name for folder in folders for name in kubo.run("files", "ls", f"{ROOT}/{folder}").decode().split()
    }


def ipfs_health(proxy: Any) -> dict[str, Any]:
    """Return what health says about the IPFS node, from the proxy's own answer."""
    connection = http.client.HTTPConnection("127.0.0.1", proxy.ports.http, timeout=PATIENCE_S)
    try:
        connection.request("GET", "/actuator/health")
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
    except OSError:
        return {}
    finally:
        connection.close()
    component: dict[str, Any] = answer.get("components", {}).get("ipfs", {})
    return component


async def test_a_node_that_is_away_at_the_start_is_waited_for_and_named(
    own_proxy: Any, on_chain: Any, client: Any, refused: Any
) -> None:
    """Scenario 35: a node that is not reachable at the start."""
    url = f"http://127.0.0.1:{free_port()}"
    proxy = own_proxy(healthy=False, IEXEC_IPFS_URL=url)
    await client.eventually(proxy.listening)
    await client.eventually(lambda: "IEXEC_IPFS_URL" in json.dumps(ipfs_health(proxy)))
    assert url in json.dumps(ipfs_health(proxy))
    assert proxy.health() == 503
    async with refused("STORAGE_UNAVAILABLE") as answer:
        await proxy.upload_task(on_chain.revealed())
    assert answer.code is grpc.StatusCode.UNAVAILABLE
    assert proxy.process.running


def results_without_content(client: Any) -> list[tuple[bytes, str]]:
    """Return archives without a result, and the reasons of their refusals."""
    computed = b'{"deterministic-output-path": "/iexec_out/r.txt"}'
    return [
        (b"", "INVALID_ARGUMENT"),
        (client.zipped({}), "RESULT_DIGEST_COMPUTATION_FAILED"),
        (client.zipped({"computed.json": b""}), "RESULT_DIGEST_COMPUTATION_FAILED"),
        (client.zipped({"computed.json": computed}), "RESULT_DIGEST_COMPUTATION_FAILED"),
    ]


async def test_an_empty_result_is_refused_with_the_cause(
    proxy: Any, on_chain: Any, client: Any, refused: Any
) -> None:
    """Scenario 35: an empty result."""
    task = on_chain.revealed()
    for archive, reason in results_without_content(client):
        async with refused(reason):
            await proxy.upload_task(task, archive)
    async with refused("RESULT_NOT_FOUND"):
        await proxy.download(task.task_id)


async def test_a_result_that_is_an_empty_file_is_a_result(proxy: Any, on_chain: Any) -> None:
    """Scenario 35: a result without bytes that its worker revealed."""
    task = on_chain.revealed(b"")
    await proxy.upload_task(task)
    assert (await proxy.download(task.task_id))[1] == task.archive


async def test_without_a_node_the_gateway_names_the_setting(proxy: Any) -> None:
    answer = await proxy.fetch("/ipfs/bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy")
    assert answer.status_code == 404
    assert answer.json()["code"] == "IPFS_NOT_CONFIGURED"
    assert "IEXEC_IPFS_URL" in answer.json()["error"]


# Building Kubo takes 9 minutes of processor time, which CI does not have.
@pytest.mark.soak
class TestWithANode:
    async def test_a_result_is_stored_and_served_by_its_content_id(
        self, own_proxy: Any, on_chain: Any, kubo: Kubo
    ) -> None:
        proxy = own_proxy(IEXEC_IPFS_URL=kubo.url)
        task = on_chain.revealed(os.urandom(3 * MIB))
        link = json.loads(await proxy.upload_task(task))
        assert link["storage"] == "ipfs"
        assert link["location"].startswith("/ipfs/bafy")
        cid = link["location"].removeprefix("/ipfs/")
        for path in (link["location"], f"/results/{task.task_id}"):
            answer = await proxy.fetch(path, origin="https://explorer.example")
            assert (answer.status_code, answer.content) == (200, task.archive)
            assert answer.headers["content-type"] == "application/zip"
            assert answer.headers["access-control-allow-origin"] == "*"
            part = await proxy.fetch(path, range="bytes=5-9")
            assert (part.status_code, part.content) == (206, task.archive[5:10])
        for path in (f"/v1/results/{task.task_id}/ipfshash", f"/results/{task.task_id}/ipfshash"):
            assert (await proxy.fetch(path)).content.decode() == cid
        assert kubo.run("cat", cid) == task.archive
        assert (await proxy.download(task.task_id, 100))[1] == task.archive[100:]
        assert proxy.temporary_files() == []

    async def test_equal_archives_of_two_tasks_are_both_stored(
        self, own_proxy: Any, on_chain: Any, kubo: Kubo
    ) -> None:
        proxy = own_proxy(IEXEC_IPFS_URL=kubo.url)
        tasks = [on_chain.revealed(b"equal") for _ in range(2)]
        # One archive for both: a zip file contains the time of its making.
        links = [await proxy.upload_task(task, tasks[0].archive) for task in tasks]
        assert links[0] == links[1]

    async def test_an_empty_result_is_not_stored(
        self, own_proxy: Any, on_chain: Any, client: Any, refused: Any, kubo: Kubo
    ) -> None:
        """Scenario 35: an empty result."""
        proxy = own_proxy(IEXEC_IPFS_URL=kubo.url)
        before, task = stored_files(kubo), on_chain.revealed()
        for archive, reason in results_without_content(client):
            async with refused(reason):
                await proxy.upload_task(task, archive)
        await client.eventually(lambda: stored_files(kubo) == before)
        assert await proxy.upload_task(task)
        empty = on_chain.revealed(b"")
        await proxy.upload_task(empty)
        assert (await proxy.fetch(f"/results/{empty.task_id}")).content == empty.archive

    async def test_results_of_before_stay_readable_when_the_store_changes(
        self, own_proxy: Any, on_chain: Any, kubo: Kubo
    ) -> None:
        first = own_proxy()
        old = on_chain.revealed(b"in GridFS")
        await first.upload_task(old)
        first.process.stop()
        second = own_proxy(environment=first.environment, IEXEC_IPFS_URL=kubo.url)
        assert (await second.download(old.task_id))[1] == old.archive

    async def test_a_kill_while_the_archive_is_stored_leaves_nothing(
        self, own_proxy: Any, on_chain: Any, client: Any, kubo: Kubo
    ) -> None:
        proxy = own_proxy(IEXEC_IPFS_URL=kubo.url)
        task = on_chain.revealed(os.urandom(5 * MIB))
        token = await proxy.token(task.authorization, task.worker)
        header, *chunks = client.messages(task)

        async def half() -> Any:
            yield header
            for chunk in chunks[:3]:
                yield chunk
            await asyncio.Event().wait()

        upload = asyncio.create_task(proxy.upload(token, half()))
        await client.eventually(proxy.temporary_files)
        proxy.process.kill()
        with pytest.raises(grpc.aio.AioRpcError):
            await upload
        second = own_proxy(environment=proxy.environment)
        assert await second.upload(token, client.messages(task))
        described = (await second.stub.GetResult(pb.GetResultRequest(task_id=task.task_id))).result
        assert described.size == len(task.archive)

    async def test_two_proxies_share_a_database_and_a_node(
        self, own_proxy: Any, on_chain: Any, client: Any, kubo: Kubo, mongod: Any
    ) -> None:
        first = own_proxy(IEXEC_IPFS_URL=kubo.url)
        second = own_proxy(
            environment=first.environment,
            IEXEC_RESULT_PROXY_TEMP_DIR=first.environment["IEXEC_RESULT_PROXY_TEMP_DIR"] + "-2",
            IEXEC_RESULT_PROXY_PUBLIC_URL=f"http://127.0.0.1:{first.ports.http}",
        )
        before = stored_files(kubo)
        tasks = [on_chain.revealed(os.urandom(600 << 10)) for _ in range(4)]
        uploads = (proxy.upload_task(task) for task in tasks for proxy in (first, second) * 2)
        outcomes = await asyncio.gather(*uploads, return_exceptions=True)
        links = {each for each in outcomes if isinstance(each, str)}
        assert len(links) == len(tasks)
        refusals = [each for each in outcomes if not isinstance(each, str)]
        assert {each.code() for each in refusals if isinstance(each, grpc.aio.AioRpcError)} == {
            grpc.StatusCode.ALREADY_EXISTS
        }
        for proxy in (first, second):
            for task in tasks:
                assert (await proxy.fetch(f"/results/{task.task_id}")).content == task.archive
        with pymongo.MongoClient[Any](mongod.uri) as mongo:
            database: Any = mongo[first.environment["MONGO_DATABASE"]]
            stored = {each["file_id"] for each in database["results"].find()}
            await client.eventually(lambda: database["announced_files"].count_documents({}) == 0)
        # The bytes of the uploads that lost are gone.
        assert stored_files(kubo) - before == {f"{file_id}.zip" for file_id in stored}

    async def test_thirty_two_uploads_at_once_are_all_verified(
        self, own_proxy: Any, on_chain: Any, kubo: Kubo
    ) -> None:
        proxy = own_proxy(IEXEC_IPFS_URL=kubo.url)
        tasks = [on_chain.revealed(os.urandom((700 << 10) + number)) for number in range(32)]
        links = await asyncio.gather(*(proxy.upload_task(task) for task in tasks))
        assert len(set(links)) == 32
        for task, link in zip(tasks, links, strict=True):
            assert (await proxy.fetch(json.loads(link)["location"])).content == task.archive
        assert proxy.temporary_files() == []

    async def test_a_node_that_goes_away_is_waited_for(
        self, own_proxy: Any, on_chain: Any, client: Any, refused: Any, kubo_binary: Path, tmp_path: Path
    ) -> None:
        with Kubo(kubo_binary, folder=tmp_path, log=tmp_path / "log") as node:
            proxy = own_proxy(IEXEC_IPFS_URL=node.url)
            stored, later = on_chain.revealed(b"stored"), on_chain.revealed(b"later")
            await proxy.upload_task(stored)
            node.process.kill()
            await client.eventually(lambda: proxy.health() == 503)
            async with refused("STORAGE_UNAVAILABLE"):
                await proxy.upload_task(later)
            assert (await proxy.fetch(f"/results/{stored.task_id}")).status_code == 503
            node.start()
            await client.eventually(lambda: proxy.health() == 200)
            assert await proxy.upload_task(later)
            assert (await proxy.download(stored.task_id))[1] == stored.archive
