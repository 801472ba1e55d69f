import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from patience import PATIENCE_S
from workerpool_devnet.errors import ProcessError
from workerpool_devnet.processes.ports import free_port
from workerpool_devnet.processes.process import ManagedProcess
from workerpool_devnet.services.readiness import wait_healthy, wait_offered, wait_registered


class HealthServer:
    """An HTTP server whose health a test sets."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.status = "DOWN"
        self.requests = 0
        self.orders = 0

    async def answer_orders(self, _: web.Request) -> web.Response:
        self.requests += 1
        return web.json_response({"ok": True, "count": self.orders, "orders": []})

    async def answer(self, _: web.Request) -> web.Response:
        self.requests += 1
        return web.json_response({"status": self.status}, status=200 if self.status == "UP" else 503)


@pytest_asyncio.fixture
async def server() -> AsyncIterator[HealthServer]:
    port = free_port()
    found, app = HealthServer(port), web.Application()
    app.router.add_get("/actuator/health", found.answer)
    app.router.add_get("/workerpoolorders", found.answer_orders)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield found
    await runner.cleanup()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[ManagedProcess]:
    found = ManagedProcess("service", ["sleep", "60"], log=tmp_path / "service.log")
    found.start()
    yield found
    found.kill()


async def test_the_wait_ends_when_health_becomes_up(server: HealthServer, running: ManagedProcess) -> None:
    waiting = asyncio.create_task(wait_healthy({server.url: running}, timeout=PATIENCE_S))
    async with asyncio.timeout(PATIENCE_S):
        while server.requests < 2:
            await asyncio.sleep(0.01)
    assert not waiting.done()
    server.status = "UP"
    await waiting


async def test_a_service_that_stays_down_is_reported_with_its_last_answer(
    server: HealthServer, running: ManagedProcess
) -> None:
    with pytest.raises(ProcessError, match=r"service was not healthy within 0.2 s; .*DOWN"):
        await wait_healthy({server.url: running}, timeout=0.2)


async def test_an_ended_process_ends_the_wait_for_all(server: HealthServer, running: ManagedProcess) -> None:
    ended = ManagedProcess("ended", ["false"], log=running.log)
    ended.start()
    nowhere = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(ProcessError, match="ended ended with exit code 1"):
        await wait_healthy({server.url: running, nowhere: ended}, timeout=PATIENCE_S)


async def test_the_wait_for_an_offer_ends_with_the_first_order(
    server: HealthServer, running: ManagedProcess
) -> None:
    waiting = asyncio.create_task(
        wait_offered(f"{server.url}/workerpoolorders", [running], timeout=PATIENCE_S)
    )
    async with asyncio.timeout(PATIENCE_S):
        while server.requests < 2:
            await asyncio.sleep(0.01)
    assert not waiting.done()
    server.orders = 1
    await waiting


async def test_a_pool_without_an_offer_is_reported_with_the_last_answer(
    server: HealthServer, running: ManagedProcess
) -> None:
    with pytest.raises(ProcessError, match=r'no order on the market within 0.2 s; .*"count": 0'):
        await wait_offered(f"{server.url}/workerpoolorders", [running], timeout=0.2)


async def test_missing_workers_are_named_by_their_wallets(running: ManagedProcess) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    with pytest.raises(ProcessError, match=r"did not connect to core within 0.2 s: 0xabc"):
        await wait_registered(nowhere, [running], {"0xabc"}, timeout=0.2)
