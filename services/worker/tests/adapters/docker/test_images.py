"""Pulls that fail: an image that cannot be had is the task's matter, an engine in trouble is the worker's own.

The first becomes a result that workers agree on, so the two must not be mixed up. The engine here is a small server,
since a real one cannot be killed or filled for a test.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from workerpool_worker.adapters.docker.engine import DockerEngine
from workerpool_worker.errors import DockerUnavailable, HostStorageUnavailable, ImageUnavailable

IMAGE = "registry.test/app:1"


class Answers(BaseHTTPRequestHandler):
    """An engine that has no image, and pulls as the test says."""

    protocol_version = "HTTP/1.1"
    status = 200
    progress = ()
    breaks_off = False

    def do_GET(self):
        if self.path.endswith("/version"):
            self._say(200, {"Version": "1", "ApiVersion": "1.44"})
        else:
            self._say(404, {"message": "no such image"})

    def do_POST(self):
        if self.status != 200:
            return self._say(self.status, {"message": self.progress[0]["error"]})
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

    def _say(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def engine_that():
    """Make an engine whose pulls go as described."""
    servers, engines = [], []

    def make(**behaviour):
        handler = type("Handler", (Answers,), behaviour)
        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        engines.append(DockerEngine("w", base_url=f"tcp://127.0.0.1:{servers[-1].server_port}"))
        return engines[-1]

    yield make
    for each in engines:
        each.close()
    for each in servers:
        each.shutdown()
        each.server_close()


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
async def test_an_engine_in_trouble_is_not_the_image_s_fault(engine_that, behaviour, trouble):
    with pytest.raises(trouble):
        await engine_that(**behaviour).ensure_image(IMAGE, 10)


@pytest.mark.parametrize("status", [200, 404, 500])
async def test_an_image_that_its_registry_does_not_give_is_unavailable(engine_that, status):
    refusal = {"error": "manifest unknown: no such tag"}
    with pytest.raises(ImageUnavailable, match="manifest unknown"):
        await engine_that(progress=(refusal,), status=status).ensure_image(IMAGE, 10)
