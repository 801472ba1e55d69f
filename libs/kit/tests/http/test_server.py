"""The HTTP side port as monitoring and third parties see it."""

from collections.abc import AsyncIterator

import http_calls
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
def url(side: HttpServer) -> str:
    return f"http://127.0.0.1:{side.port}"


async def test_health_is_200_only_while_every_component_is_up(url: str, health: Health) -> None:
    health.set("database", up=True)
    assert (await http_calls.get(f"{url}/actuator/health")).status == 200
    health.set("chain", up=False, block=7)
    answer = await http_calls.get(f"{url}/actuator/health")
    assert answer.status == 503
    assert answer.json() == {
        "status": "OUT_OF_SERVICE",
        "components": {
            "database": {"status": "UP"},
            "chain": {"status": "OUT_OF_SERVICE", "details": {"block": 7}},
        },
    }


async def test_version_and_info_name_the_build(url: str) -> None:
    assert (await http_calls.get(f"{url}/version")).text == "1.2.3"
    assert (await http_calls.get(f"{url}/actuator/info")).json() == {"build": {"version": "1.2.3"}}


async def test_metrics_are_prometheus_text(url: str) -> None:
    metrics.build_info("kit", "1.2.3")
    answer = await http_calls.get(f"{url}/actuator/prometheus")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert 'workerpool_build_info{service="kit",version="1.2.3"} 1.0' in answer.text


async def test_route_of_the_service_overrides_a_built_in_one(url: str) -> None:
    assert (await http_calls.get(f"{url}/metrics")).text == "own"


async def test_errors_are_answered_with_their_reason(url: str) -> None:
    answer = await http_calls.get(f"{url}/lost")
    assert answer.status == 404
    assert answer.json() == {
        "error": "TASK_NOT_FOUND: no task 7 here",
        "code": "TASK_NOT_FOUND",
        "details": {"task": "7"},
    }


async def test_unknown_path_and_method_are_answered_in_json(url: str) -> None:
    nowhere = await http_calls.get(f"{url}/nowhere")
    assert (nowhere.status, nowhere.json()["code"]) == (404, "NOT_FOUND")
    assert "/nowhere" in nowhere.json()["error"]
    written = await http_calls.post(f"{url}/version")
    assert (written.status, written.json()["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert "does not take POST; send GET, HEAD" in written.json()["error"]
    assert "GET" in written.headers["Allow"]


async def test_unexpected_errors_are_hidden(url: str) -> None:
    answer = await http_calls.get(f"{url}/broken")
    assert (answer.status, answer.json()["code"]) == (500, "INTERNAL")
    assert "private" not in answer.text


async def test_taken_port_is_named_in_one_sentence(side: HttpServer, health: Health) -> None:
    with pytest.raises(StartupError, match=rf"127\.0\.0\.1:{side.port} for HTTP"):
        await HttpServer(side.port, health=health, version="1", host="127.0.0.1").start()


async def test_it_can_start_again_on_the_same_port_at_once(
    side: HttpServer, health: Health, url: str
) -> None:
    await http_calls.get(f"{url}/version")
    await side.stop()
    again = HttpServer(side.port, health=health, version="2", host="127.0.0.1")
    await again.start()
    assert (await http_calls.get(f"{url}/version")).text == "2"
    await again.stop()
