"""The HTTP side port as monitoring and third parties see it."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from workerpool_kit import metrics
from workerpool_kit.errors import Kind, WorkerpoolError
from workerpool_kit.health import Health
from workerpool_kit.http.server import HttpServer
from workerpool_kit.process import StartupError


class NoSuchTask(WorkerpoolError):
    kind = Kind.NOT_FOUND
    reason = "TASK_NOT_FOUND"


async def _lost(_request: Request) -> Response:
    raise NoSuchTask("no task 7 here", details={"task": 7})


async def _broken(_request: Request) -> Response:
    raise RuntimeError("the private detail")


async def _own(_request: Request) -> Response:
    return PlainTextResponse("own")


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
async def side(health: Health) -> AsyncIterator[HttpServer]:
    routes = [Route("/lost", _lost), Route("/broken", _broken), Route("/metrics", _own)]
    side = HttpServer(0, health=health, version="1.2.3", routes=routes, host="127.0.0.1")
    await side.start()
    yield side
    await side.stop()


@pytest.fixture
async def http(side: HttpServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{side.port}") as client:
        yield client


async def test_health_is_200_only_while_every_component_is_up(
    http: httpx.AsyncClient, health: Health
) -> None:
    health.set("database", up=True)
    assert (await http.get("/actuator/health")).status_code == 200
    health.set("chain", up=False, block=7)
    answer = await http.get("/actuator/health")
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "OUT_OF_SERVICE",
        "components": {
            "database": {"status": "UP"},
            "chain": {"status": "OUT_OF_SERVICE", "details": {"block": 7}},
        },
    }


async def test_version_and_info(http: httpx.AsyncClient) -> None:
    assert (await http.get("/version")).text == "1.2.3"
    assert (await http.get("/actuator/info")).json() == {"build": {"version": "1.2.3"}}


async def test_figures_are_in_prometheus_text(http: httpx.AsyncClient) -> None:
    metrics.build_info("kit", "1.2.3")
    answer = await http.get("/actuator/prometheus")
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'workerpool_build_info{service="kit",version="1.2.3"} 1.0' in answer.text


async def test_a_services_own_route_wins(http: httpx.AsyncClient) -> None:
    assert (await http.get("/metrics")).text == "own"


async def test_errors_are_answered_with_their_reason(http: httpx.AsyncClient) -> None:
    answer = await http.get("/lost")
    assert answer.status_code == 404
    assert answer.json() == {"error": "TASK_NOT_FOUND", "message": "no task 7 here", "details": {"task": "7"}}


async def test_paths_and_methods_that_nobody_serves_are_answered_in_json_too(http: httpx.AsyncClient) -> None:
    nowhere = await http.get("/nowhere")
    assert (nowhere.status_code, nowhere.json()["error"]) == (404, "NOT_FOUND")
    written = await http.post("/version")
    assert (written.status_code, written.json()["error"]) == (405, "METHOD_NOT_ALLOWED")
    assert "GET" in written.headers["allow"]


async def test_unexpected_errors_are_hidden(http: httpx.AsyncClient) -> None:
    answer = await http.get("/broken")
    assert answer.status_code == 500
    assert "private" not in answer.text


async def test_a_taken_port_is_one_sentence(side: HttpServer, health: Health) -> None:
    with pytest.raises(StartupError, match=rf"127\.0\.0\.1:{side.port} for HTTP"):
        await HttpServer(side.port, health=health, version="1", host="127.0.0.1").start()


async def test_it_can_start_again_on_the_same_port_at_once(side: HttpServer, health: Health) -> None:
    async with httpx.AsyncClient() as client:
        await client.get(f"http://127.0.0.1:{side.port}/version")
        await side.stop()
        again = HttpServer(side.port, health=health, version="2", host="127.0.0.1")
        await again.start()
        assert (await client.get(f"http://127.0.0.1:{again.port}/version")).text == "2"
        await again.stop()
