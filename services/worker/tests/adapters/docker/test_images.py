"""Failed pulls: a missing image is the task's failure, an engine in trouble is the worker's.

A missing image becomes a result, so the two must be told apart. A small server stands in for the engine, because a
Docker engine cannot be killed or filled for a test.
"""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from workerpool_worker.adapters.docker.connection import DockerConnection
from workerpool_worker.adapters.docker.images import DockerImages
from workerpool_worker.errors import DockerUnavailable, HostStorageUnavailable, ImageUnavailable

IMAGE = "registry.test/app:1"


class Answers(BaseHTTPRequestHandler):
    """An engine without images whose pulls proceed as the test says."""

    protocol_version = "HTTP/1.1"
    status = 200
    progress: tuple[dict[str, str], ...] = ()
    breaks_off = False

    def do_GET(self) -> None:
        if self.path.endswith("/version"):
            self._answer(200, {"Version": "1", "ApiVersion": "1.44"})
        else:
            self._answer(404, {"message": "no such image"})

    def do_POST(self) -> None:
        if self.status != 200:
            return self._answer(self.status, {"message": self.progress[0]["error"]})
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for each in self.progress:
            line = json.dumps(each).encode() + b"\r\n"
            self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
        if not self.breaks_off:
            self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True

    def _answer(self, status: int, content: dict[str, str]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def engine_that() -> Iterator[Callable[..., DockerImages]]:
    """Make an engine whose pulls proceed as described."""
    servers: list[ThreadingHTTPServer] = []
    connections: list[DockerConnection] = []

    def make(**behaviour: Any) -> DockerImages:
        handler = type("Handler", (Answers,), behaviour)
        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        url = f"tcp://127.0.0.1:{servers[-1].server_port}"
        connections.append(DockerConnection(pool_size=2, base_url=url))
        return DockerImages(connections[-1], {})

    yield make
    for connection in connections:
        connection.close()
    for server in servers:
        server.shutdown()
        server.server_close()


PULLING = {"status": "Pulling fs layer"}
FULL = {"error": "failed to register layer: write /usr/lib/x: no space left on device"}


@pytest.mark.parametrize(
    ("behaviour", "trouble"),
    [
        ({"progress": (PULLING,), "breaks_off": True}, DockerUnavailable),
        ({"progress": (PULLING,)}, DockerUnavailable),
        ({"progress": (PULLING, FULL)}, HostStorageUnavailable),
        ({"progress": (FULL,), "status": 500}, HostStorageUnavailable),
    ],
    ids=["it dies", "it stops", "its disk is full", "its disk is full at once"],
)
async def test_an_engine_in_trouble_is_not_the_images_fault(
    engine_that: Callable[..., DockerImages], behaviour: dict[str, Any], trouble: type[Exception]
) -> None:
    with pytest.raises(trouble):
        await engine_that(**behaviour).ensure(IMAGE, 10)


@pytest.mark.parametrize("status", [200, 404, 500])
async def test_an_image_its_registry_refuses_is_unavailable(
    engine_that: Callable[..., DockerImages], status: int
) -> None:
    refusal = {"error": "manifest unknown: no such tag"}
    with pytest.raises(ImageUnavailable, match="manifest unknown"):
        await engine_that(progress=(refusal,), status=status).ensure(IMAGE, 10)
