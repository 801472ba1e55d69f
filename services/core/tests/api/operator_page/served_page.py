"""The page on a real HTTP port, beside the documented routes, and a browser's part of the conversation."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from patience import PATIENCE_S
from workerpool_core.api.http_routes import routes
from workerpool_core.api.operator_page.routes import operator_page_routes
from workerpool_core.api.pool_service import PoolServicer
from workerpool_core.app.operators.sessions import OperatorSessions
from workerpool_kit.http.server import HttpServer

from services.core.tests.doubles.page_world import PASSWORD, USER, Answer


@dataclass
class ServedPage:
    """The page of a core that runs over a real store."""

    url: str
    browser: aiohttp.ClientSession

    async def get(self, path: str) -> Answer:
        """Request a page as the browser does, with its cookies and without following redirections."""
        async with self.browser.get(f"{self.url}{path}", allow_redirects=False) as answer:
            return await _read(answer)

    async def post(self, path: str, form: dict[str, str]) -> Answer:
        """Send a form of the page."""
        sent = {"origin": self.url}
        async with self.browser.post(
            f"{self.url}{path}", data=form, headers=sent, allow_redirects=False
        ) as answer:
            return await _read(answer)

    async def sign_in(self) -> None:
        """Sign in; the browser keeps the cookie."""
        answer = await self.post("/ui/sign-in", {"username": USER, "password": PASSWORD})
        assert answer.status == 303


async def _read(answer: aiohttp.ClientResponse) -> Answer:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Answer(answer.status, headers, await answer.read())


@asynccontextmanager
async def served(api: Any) -> AsyncIterator[ServedPage]:
    """Serve the HTTP port of a core."""
    sessions = OperatorSessions(api.clock, USER, PASSWORD)
    servicer = PoolServicer(api.core, operator_configured=True)
    server = HttpServer(
        0,
        health=api.health,
        version="1",
        routes=[
            *routes(api.core, open_actuator=lambda name: True),
            *operator_page_routes(api.core, sessions, servicer, api.health, "1"),
        ],
        host="127.0.0.1",
        for_browsers=True,
    )
    await server.start()
    limits = aiohttp.ClientTimeout(total=PATIENCE_S)
    # Cookies of addresses are kept: the port has no name here.
    async with aiohttp.ClientSession(timeout=limits, cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        yield ServedPage(f"http://127.0.0.1:{server.port}", browser)
    await server.stop()
