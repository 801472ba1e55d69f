"""Two file servers: an honest one, and one whose every path is a trap."""

from __future__ import annotations

import contextlib
import gzip
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from hostile.catalogue.honest import DATASET, FILES

_HOLD_SECONDS = 120.0
"""Longest time that a trap holds a connection."""
_BOMB = gzip.compress(bytes(64 << 20))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    over: threading.Event

    def start(self, status: int = 200, **headers: str) -> None:
        self.close_connection = True
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def whole(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.start(status, Content_Length=str(len(body)), **headers)
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


class _Honest(_Handler):
    def do_GET(self) -> None:
        body = DATASET if self.path == "/dataset" else FILES.get(self.path, b"a small file\n")
        with contextlib.suppress(OSError):
            self.whole(body)


class _Traps(_Handler):
    def do_GET(self) -> None:
        trap = _TRAPS.get(self.path.strip("/"))
        with contextlib.suppress(OSError):
            if trap is None:
                self.whole(b"no such trap", 404)
            else:
                trap(self)

    def hold(self) -> None:
        """Keep the connection open and send nothing."""
        self.over.wait(_HOLD_SECONDS)

    def drip(self, before: bytes = b"") -> None:
        """Send one byte a second."""
        self.wfile.write(before)
        for _ in range(int(_HOLD_SECONDS)):
            self.wfile.write(b"x")
            self.wfile.flush()
            if self.over.wait(1):
                return

    def flood(self, piece: bytes) -> None:
        """Send a piece again and again."""
        end = time.monotonic() + _HOLD_SECONDS
        while time.monotonic() < end and not self.over.is_set():
            self.wfile.write(piece)


def _drip(handler: _Traps) -> None:
    handler.start(Content_Length="1000000")
    handler.drip()


def _wrong_length(handler: _Traps) -> None:
    handler.start(Content_Length="1000000")
    handler.wfile.write(b"too short")


def _endless(handler: _Traps) -> None:
    handler.start()
    handler.flood(bytes(65536))


def _endless_chunks(handler: _Traps) -> None:
    handler.start(Transfer_Encoding="chunked")
    handler.flood(b"10000\r\n" + bytes(65536) + b"\r\n")


def _redirect(target: str) -> Callable[[_Traps], None]:
    return lambda handler: handler.whole(b"", 302, Location=target)


_TRAPS: dict[str, Callable[[_Traps], None]] = {
    "drip": _drip,
    "drip-headers": lambda handler: handler.drip(b"HTTP/1.1 200 OK\r\nX-Slow: "),
    "silent": lambda handler: handler.hold(),
    "endless": _endless,
    "endless-chunks": _endless_chunks,
    "wrong-length": _wrong_length,
    "missing": lambda handler: handler.whole(b"", 404),
    "error": lambda handler: handler.whole(b"", 500),
    "redirect-metadata": _redirect("http://169.254.169.254/latest/meta-data/"),
    "redirect-loopback": _redirect("http://127.0.0.2:1/x"),
    "redirect-loop": _redirect("/redirect-loop"),
    "redirect-file": _redirect("file:///etc/passwd"),
    "garbage": lambda handler: handler.flood(b"\0\xff\r\r\n" * 1000),
    "bomb": lambda handler: handler.whole(_BOMB, Content_Encoding="gzip"),
}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing about clients that leave."""


@contextlib.contextmanager
def _serving(handler: type[_Handler]) -> Iterator[str]:
    over = threading.Event()
    own = type("Handler", (handler,), {"over": over})
    server = _Server(("127.0.0.1", 0), own)
    thread = threading.Thread(target=server.serve_forever, name=handler.__name__, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def file_servers() -> Iterator[tuple[str, str]]:
    """Run both servers inside a context; yield the base URLs of the honest and of the hostile one."""
    with _serving(_Honest) as honest, _serving(_Traps) as traps:
        yield honest, traps
