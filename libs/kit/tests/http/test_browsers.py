"""Cross-origin requests, as a browser sends them."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from workerpool_kit.health import Health
from workerpool_kit.http.browsers import METHODS
from workerpool_kit.http.server import HttpServer

ORIGIN = {"Origin": "https://explorer.example"}


async def _take(_request: Request) -> Response:
    return PlainTextResponse("taken", headers={"ETag": "1"})


async def _broken(_request: Request) -> Response:
    raise RuntimeError


@pytest.fixture
async def open_port() -> AsyncIterator[aiohttp.ClientSession]:
    routes = [Route("/secrets", _take, methods=["GET", "POST", "PUT"]), Route("/broken", _broken)]
    server = HttpServer(0, health=Health(), version="1", routes=routes, host="127.0.0.1", for_browsers=True)
    await server.start()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as session:
        yield session
    await server.stop()


@pytest.mark.parametrize("method", METHODS)
async def test_the_question_before_a_request_is_answered(
    open_port: aiohttp.ClientSession, method: str
) -> None:
    asked = ORIGIN | {
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type,accept",
    }
    async with open_port.options("/secrets", headers=asked) as answer:
        assert answer.status == 200
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert method in answer.headers["Access-Control-Allow-Methods"]
        assert {"authorization", "content-type", "accept"} <= {
            name.strip().lower() for name in answer.headers["Access-Control-Allow-Headers"].split(",")
        }


async def test_a_page_may_read_answers_and_their_headers(open_port: aiohttp.ClientSession) -> None:
    async with open_port.get("/secrets", headers=ORIGIN) as answer:
        assert await answer.text() == "taken"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "etag" in answer.headers["Access-Control-Expose-Headers"]
        assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/broken", 500)])
async def test_a_page_may_read_refusals(open_port: aiohttp.ClientSession, path: str, status: int) -> None:
    async with open_port.get(path, headers=ORIGIN) as answer:
        assert answer.status == status
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


async def test_other_methods_are_refused(open_port: aiohttp.ClientSession) -> None:
    asked = ORIGIN | {"Access-Control-Request-Method": "DELETE"}
    async with open_port.options("/secrets", headers=asked) as answer:
        assert answer.status == 400


async def test_a_port_that_is_not_for_browsers_names_no_origin() -> None:
    server = HttpServer(0, health=Health(), version="1", host="127.0.0.1")
    await server.start()
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{server.port}/version", headers=ORIGIN) as answer,
    ):
        assert "Access-Control-Allow-Origin" not in answer.headers
    await server.stop()
