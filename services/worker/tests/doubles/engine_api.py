"""The HTTP API of a container engine, on a socket of this host or on a TCP port, which answers what a test says."""

import json
import shutil
import socketserver
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

UNSEEN = 'invalid mount config for type "bind": bind source path does not exist: /somewhere'


class EngineApi:
    """What the engine answers. A `str` in place of a document is sent as it is."""

    def __init__(self) -> None:
        self.version: Any = {"ApiVersion": "1.44"}
        self.info: Any = {
            "Name": "host-of-tests",
            "ServerVersion": "27.1",
            "DockerRootDir": "/no/such/folder",
        }
        self.created: tuple[int, Any] = (201, {"Id": "looked"})
        """Status and document of the answer to a request for a container."""
        self.mounts: list[dict[str, Any]] = []
        """The mounts that were asked for."""
        self.removed: list[str] = []
        self.answers = threading.Event()
        """Cleared while the engine hangs."""
        self.answers.set()

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        """Return the status and the document of an answer."""
        if method == "DELETE":
            self.removed.append(path.split("/containers/")[1])
            return 204, ""
        if path.endswith("/containers/create"):
            self.mounts += json.loads(body)["HostConfig"]["Mounts"]
            return self.created
        return 200, self.version if path.endswith("/version") else self.info if path.endswith("/info") else {}


def _handler(api: EngineApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            api.answers.wait()
            status, document = api.answer(self.command, self.path.partition("?")[0], body)
            content = document if isinstance(document, str) else json.dumps(document)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content.encode())

        do_GET = do_POST = do_DELETE = _answer

        def log_message(self, *_: Any) -> None:
            """Keep the output of tests clean."""

    return Handler


class _SocketServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


@contextmanager
def engine_api(*, local: bool = True) -> Iterator[tuple[EngineApi, str]]:
    """Serve an API until the end of the block. Yield it and its address as `DOCKER_HOST` has it."""
    api = EngineApi()
    # The path of a socket is short, so that of a test's own folder would not do.
    folder = Path(tempfile.mkdtemp(prefix="engine-"))
    server: socketserver.BaseServer
    if local:
        server = _SocketServer(str(folder / "docker.sock"), _handler(api))
        address = f"unix://{folder / 'docker.sock'}"
    else:
        http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(api))
        server, address = http, f"tcp://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield api, address
    finally:
        api.answers.set()
        server.shutdown()
        thread.join()
        server.server_close()
        shutil.rmtree(folder)
