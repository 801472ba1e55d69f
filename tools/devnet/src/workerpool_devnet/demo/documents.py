"""Documents for the app of the demo, served over HTTP like the input files of a requester."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from workerpool_devnet.packages import repository_root

DOCUMENTS = ("LICENSE", "README.md", "protos/workerpool/core/v1/worker_service.proto")
"""Paths in the clone: a licence, a manual and a contract, three different kinds of text."""


class DocumentServer:
    """Serves `DOCUMENTS` on a free loopback port inside a context."""

    def __init__(self) -> None:
        contents = {f"/{name}": (repository_root() / name).read_bytes() for name in DOCUMENTS}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = contents.get(self.path)
                self.send_response(200 if body is not None else 404)
                self.send_header("Content-Type", "text/plain; charset=utf-8")
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, format: str, *args: object) -> None:
                """Log nothing: the terminal shows a table."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def urls(self) -> tuple[str, ...]:
        """The documents' URLs."""
        return tuple(f"http://127.0.0.1:{self._server.server_port}/{name}" for name in DOCUMENTS)

    def __enter__(self) -> DocumentServer:
        """Start serving."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
