"""Whether a result proxy holds an archive: yes, no, and not known while it does not answer."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from patience import PATIENCE_S
from workerpool_core.adapters.grpc.result_proxy import ResultProxyClient
from workerpool_core.domain.decisions import CheckResult
from workerpool_core.domain.events import ResultChecked
from workerpool_kit.targets import GRPC_PORT_OFFSET
from workerpool_poco.protocol.ids import TaskId
from workerpool_protocol.result_proxy.v1 import result_service_pb2 as pb
from workerpool_protocol.result_proxy.v1.result_service_pb2_grpc import (
    ResultServiceServicer,
    add_ResultServiceServicer_to_server,
)

TASK = TaskId("0x" + "ab" * 32)
LINK = '{"storage":"ipfs","location":"/results/1"}'


class Proxy(ResultServiceServicer):
    """A result proxy whose answer the test sets."""

    def __init__(self) -> None:
        self.code = grpc.StatusCode.OK
        self.calls = 0
        self.open = asyncio.Event()
        self.open.set()
        self.url = ""

    async def GetResult(self, request: Any, context: Any) -> Any:
        self.calls += 1
        await self.open.wait()
        if self.code is not grpc.StatusCode.OK:
            await context.abort(self.code, "refused")
        return pb.GetResultResponse(result=pb.Result(task_id=request.task_id, result_link=LINK))


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    server, proxy = grpc.aio.server(), Proxy()  # type: ignore[abstract]
    add_ResultServiceServicer_to_server(proxy, server)
    # URLs name the HTTP port; gRPC listens 10000 above it.
    port = server.add_insecure_port("127.0.0.1:0")
    proxy.url = f"http://127.0.0.1:{port - GRPC_PORT_OFFSET}"
    await server.start()
    yield proxy
    await server.stop(None)


class Asker:
    """A client of the proxy, and the answers it gave."""

    def __init__(self, url: str) -> None:
        self.answers: asyncio.Queue[ResultChecked] = asyncio.Queue()
        self.client = ResultProxyClient(url, self.answers.put_nowait)

    async def ask(self) -> ResultChecked:
        self.client.request(CheckResult(TASK))
        return await asyncio.wait_for(self.answers.get(), PATIENCE_S)


@pytest.fixture
async def asker(proxy: Proxy) -> AsyncIterator[Asker]:
    asker = Asker(proxy.url)
    yield asker
    await asker.client.close()


async def test_a_stored_archive_is_found_with_its_link(asker: Asker) -> None:
    assert await asker.ask() == ResultChecked(TASK, True, result_link=LINK)


async def test_a_missing_archive_is_a_no(asker: Asker, proxy: Proxy) -> None:
    proxy.code = grpc.StatusCode.NOT_FOUND
    assert await asker.ask() == ResultChecked(TASK, False)


async def test_an_internal_error_of_the_proxy_leaves_the_answer_open(asker: Asker, proxy: Proxy) -> None:
    proxy.code = grpc.StatusCode.INTERNAL
    assert await asker.ask() == ResultChecked(TASK, None)


async def test_a_new_address_of_the_proxy_is_used_by_the_next_check(asker: Asker, proxy: Proxy) -> None:
    url, asker.client.proxy_url = proxy.url, "http://"
    assert await asker.ask() == ResultChecked(TASK, None)
    assert proxy.calls == 0
    asker.client.proxy_url = url
    assert await asker.ask() == ResultChecked(TASK, True, result_link=LINK)


async def test_a_second_check_of_the_same_task_joins_the_first(asker: Asker, proxy: Proxy) -> None:
    proxy.open.clear()
    for _ in range(3):
        asker.client.request(CheckResult(TASK))
    proxy.open.set()
    await asyncio.wait_for(asker.answers.get(), PATIENCE_S)
    assert (proxy.calls, asker.answers.qsize()) == (1, 0)
