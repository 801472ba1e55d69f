"""Reference servers: asked in order, remembered for a minute, never blamed for their status."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest
from workerpool_worker.adapters.http_downloads.references import References
from workerpool_worker.adapters.http_downloads.routes import Routes
from workerpool_worker.domain.fetching.addresses import AllowedHosts

from services.worker.tests.adapters.http_downloads.conftest import LIMITS
from services.worker.tests.doubles.file_server import FileServer


@pytest.fixture
async def routes() -> AsyncIterator[Routes]:
    """Routes without exceptions: reference servers are the operator's choice."""
    routes = Routes(replace(LIMITS, allowed=AllowedHosts()))
    yield routes
    await routes.close()


async def test_without_servers_the_network_works(routes: Routes) -> None:
    assert await References([], routes).any_answers()


async def test_any_status_is_an_answer_and_is_remembered(routes: Routes, files: FileServer) -> None:
    references = References([files.url], routes)
    for _ in range(2):
        assert await references.any_answers()
    assert len(files.exchanges) == 1


async def test_one_of_several_suffices(
    routes: Routes, files: FileServer, closed_port: Callable[[], int]
) -> None:
    assert await References([f"http://127.0.0.1:{closed_port()}", files.url], routes).any_answers()


async def test_an_outage_is_not_remembered(
    routes: Routes, files: FileServer, closed_port: Callable[[], int]
) -> None:
    dead = References([f"http://127.0.0.1:{closed_port()}", "http://reference.invalid"], routes)
    for _ in range(2):
        assert not await dead.any_answers()
