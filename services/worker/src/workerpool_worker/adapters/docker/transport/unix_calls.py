"""HTTP calls over the engine's Unix socket, with the answers of `requests` that the SDK reads.

A call through `requests` and urllib3 costs ten times the processor time of one through `http.client`, and a task makes
seven. Sessions, proxies, redirects and cookies of those libraries mean nothing on a Unix socket.
"""

import select
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from urllib.parse import urlencode

import requests
from requests.structures import CaseInsensitiveDict

Timeout = float | tuple[float, float] | None
"""Seconds to connect and to wait for bytes, together or apart; None means no limit."""


class UnixCalls:
    """A pool of connections to one socket. Its methods may be called from each thread."""

    def __init__(self, path: str, *, most_idle: int) -> None:
        """Create it without connecting. At most `most_idle` connections stay open between calls."""
        self._path, self._most_idle = path, most_idle
        self._idle: list[_UnixConnection] = []
        self._changing = threading.Lock()

    def call(
        self,
        method: str,
        target: str,
        *,
        params: Mapping[str, object] | None = None,
        body: str | bytes = "",
        headers: Mapping[str, str] | None = None,
        timeout: Timeout = None,
        stream: bool = False,
    ) -> requests.Response:
        """Send a request and return its answer; with `stream`, before its body has arrived.

        Raises `requests.exceptions.ConnectionError` or `ReadTimeout`.
        """
        given = {name: value for name, value in (params or {}).items() if value is not None}
        target = f"{target}?{urlencode(given, doseq=True)}" if given else target
        with _translated_errors():
            connection = self._connected(timeout)
            try:
                content = body.encode() if isinstance(body, str) else body
                connection.request(method, target, body=content or None, headers=dict(headers or {}))
                body_of = _Body(self, connection, connection.getresponse())
                answer = _answer(target, body_of)
                if not stream:
                    answer.content  # noqa: B018 (reads the body, and returns the connection)
            except BaseException:
                connection.close()
                raise
        return answer

    def close(self) -> None:
        """Close the connections that no call uses."""
        with self._changing:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _connected(self, timeout: Timeout) -> "_UnixConnection":
        connect_s, read_s = timeout if isinstance(timeout, tuple) else (timeout, timeout)
        while True:
            with self._changing:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                connection = _UnixConnection(self._path, connect_s)
                connection.connect()
            elif connection.is_ended:
                connection.close()
                continue
            connection.sock.settimeout(read_s)
            return connection

    def put_back(self, connection: "_UnixConnection") -> None:
        """Keep a connection whose answer was read for another call."""
        with self._changing:
            if len(self._idle) < self._most_idle:
                self._idle.append(connection)
                return
        connection.close()


class _UnixConnection(HTTPConnection):
    def __init__(self, path: str, timeout: float | None) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)

    @property
    def is_ended(self) -> bool:
        """Whether the engine has closed an idle connection, or sent what no call asked for."""
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        return bool(poll.poll(0))


class _Body:
    """The body of an answer, as `requests.Response` reads it."""

    def __init__(self, calls: UnixCalls, connection: _UnixConnection, response: HTTPResponse) -> None:
        self._calls, self._connection, self.response = calls, connection, response
        self._returned = False

    def read(self, size: int) -> bytes:
        with _translated_errors():
            data = self.response.read(size)
            if not data and self.response.length:
                raise IncompleteRead(data, self.response.length)
        if self.response.isclosed() and not self._returned:
            # Nothing of the answer is left, so the next one may use the connection.
            self._returned = True
            if self.response.will_close:
                self._connection.close()
            else:
                self._calls.put_back(self._connection)
        return data

    def close(self) -> None:
        if not self._returned:
            self._returned = True
            self.response.close()
            self._connection.close()


def _answer(target: str, body: _Body) -> requests.Response:
    answer = requests.Response()
    answer.status_code, answer.reason = body.response.status, body.response.reason
    answer.headers = CaseInsensitiveDict(body.response.headers.items())
    answer.url = f"http+docker://localhost{target}"
    answer.encoding = "utf-8"
    answer.raw = body
    return answer


@contextmanager
def _translated_errors() -> Iterator[None]:
    """Raise what `requests` raises, which the callers of the SDK expect."""
    try:
        yield
    except TimeoutError as late:
        raise requests.exceptions.ReadTimeout(f"the engine did not answer in time: {late}") from late
    except (OSError, HTTPException) as problem:
        if isinstance(problem, requests.exceptions.RequestException):
            raise
        raise requests.exceptions.ConnectionError(str(problem) or type(problem).__name__) from problem
