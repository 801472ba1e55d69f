"""HTTP calls over a Unix socket: their answers, their connections, their failures."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from workerpool_worker.adapters.docker.connection import DockerConnection, in_thread
from workerpool_worker.adapters.docker.transport.unix_calls import UnixCalls

from services.worker.tests.doubles.engine_api import engine_api

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
LIMIT_S = 30.0


class Server:
    """Gives each connection the next list of answers, one for each request, and then closes it."""

    def __init__(self, path: Path, connections: list[list[bytes]]) -> None:
        self.requests: list[tuple[int, bytes]] = []
        """The number of the connection and the text of each request."""
        self.may_close = threading.Event()
        self.may_close.set()
        self.closed = threading.Semaphore(0)
        """Released with each connection that the server has closed."""
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(path))
        self._listening.listen()
        self._connections = connections
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.may_close.set()
        self._listening.close()
        self._thread.join(LIMIT_S)

    def _run(self) -> None:
        for number, answers in enumerate(self._connections):
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection:
                for answer in answers:
                    self.requests.append((number, _request(connection)))
                    connection.sendall(answer)
                self.may_close.wait(LIMIT_S)
            self.closed.release()


def _request(connection: socket.socket) -> bytes:
    """Return one request with its body, which can arrive apart from its header."""
    request, end = b"", 0
    while not end or len(request) < end:
        received = connection.recv(65_536)
        assert received, f"the client closed its connection after {request!r}"
        request += received
        head, complete, _ = request.partition(b"\r\n\r\n")
        if complete:
            length = re.search(rb"Content-Length: (\d+)", head)
            end = len(head) + len(complete) + (int(length[1]) if length else 0)
    return request


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Callable[..., tuple[Server, UnixCalls]]]:
    """Return a function that serves lists of answers, and the calls to them."""
    made: list[Any] = []

    def make(*connections: list[bytes]) -> tuple[Server, UnixCalls]:
        path = tmp_path / f"{len(made)}.sock"
        server, calls = Server(path, list(connections)), UnixCalls(str(path), most_idle=2)
        made.extend((calls, server))
        return server, calls

    yield make
    for each in made:
        each.close()


def test_an_answer_is_that_of_requests(served: Callable[..., tuple[Server, UnixCalls]]) -> None:
    refusal = b'HTTP/1.1 404 Not Found\r\nContent-Length: 18\r\n\r\n{"message":"gone"}'
    server, calls = served([OK, refusal])
    answer = calls.call(
        "POST", "/a", params={"t": 3, "all": True, "none": None}, body='{"x":"y"}', timeout=LIMIT_S
    )
    assert (answer.status_code, answer.text, answer.ok) == (200, "hi", True)
    first = server.requests[0][1]
    assert first.startswith(b"POST /a?t=3&all=True HTTP/1.1\r\n")
    assert b"Content-Length: 9\r\n" in first
    refused = calls.call("GET", "/b", timeout=LIMIT_S)
    with pytest.raises(requests.exceptions.HTTPError, match="404 Client Error: Not Found"):
        refused.raise_for_status()
    assert refused.json() == {"message": "gone"}


def test_a_connection_serves_one_call_after_the_other(
    served: Callable[..., tuple[Server, UnixCalls]],
) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
    server, calls = served([OK, chunked, b"HTTP/1.1 204 No Content\r\n\r\n", OK])
    texts = [calls.call("GET", "/", timeout=LIMIT_S).text for _ in range(4)]
    assert texts == ["hi", "hi", "", "hi"]
    assert [number for number, _ in server.requests] == [0, 0, 0, 0]


def test_a_connection_that_the_engine_closed_is_replaced(
    served: Callable[..., tuple[Server, UnixCalls]],
) -> None:
    server, calls = served([OK], [OK + b"unexpected"], [OK])
    for _ in range(3):
        assert calls.call("GET", "/", timeout=LIMIT_S).text == "hi"
        assert server.closed.acquire(timeout=LIMIT_S)
    assert [number for number, _ in server.requests] == [0, 1, 2]


def test_an_answer_with_connection_close_ends_its_connection(
    served: Callable[..., tuple[Server, UnixCalls]],
) -> None:
    server, calls = served([OK.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n")], [OK])
    server.may_close.clear()
    assert calls.call("GET", "/", timeout=LIMIT_S).text == "hi"
    server.may_close.set()
    assert calls.call("GET", "/", timeout=LIMIT_S).text == "hi"
    assert [number for number, _ in server.requests] == [0, 1]


def test_a_stream_is_read_in_pieces_and_its_connection_used_again(
    served: Callable[..., tuple[Server, UnixCalls]],
) -> None:
    server, calls = served([OK, OK])
    with calls.call("GET", "/", timeout=LIMIT_S, stream=True) as answer:
        assert list(answer.iter_content(1)) == [b"h", b"i"]
    assert calls.call("GET", "/", timeout=LIMIT_S).text == "hi"
    assert [number for number, _ in server.requests] == [0, 0]


def test_a_stream_that_is_not_read_to_its_end_closes_its_connection(
    served: Callable[..., tuple[Server, UnixCalls]],
) -> None:
    server, calls = served([OK], [OK])
    with calls.call("GET", "/", timeout=LIMIT_S, stream=True) as answer:
        assert next(answer.iter_content(1)) == b"h"
    assert calls.call("GET", "/", timeout=LIMIT_S).text == "hi"
    assert [number for number, _ in server.requests] == [0, 1]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhi",
        b"no HTTP at all\r\n\r\n",
    ],
)
def test_an_answer_that_breaks_off_is_a_connection_error(
    answer: bytes, served: Callable[..., tuple[Server, UnixCalls]]
) -> None:
    _, calls = served([answer], [OK])
    with pytest.raises(requests.exceptions.ConnectionError):
        calls.call("GET", "/", timeout=LIMIT_S)
    assert calls.call("GET", "/", timeout=LIMIT_S).text == "hi"


def test_an_engine_that_hangs_is_a_time_out(served: Callable[..., tuple[Server, UnixCalls]]) -> None:
    server, calls = served([b""], [OK])
    server.may_close.clear()
    with pytest.raises(requests.exceptions.ReadTimeout):
        calls.call("GET", "/", timeout=(LIMIT_S, 0.05))
    server.may_close.set()
    assert calls.call("GET", "/", timeout=LIMIT_S).text == "hi"


def test_a_socket_that_is_missing_is_a_connection_error(tmp_path: Path) -> None:
    with pytest.raises(requests.exceptions.ConnectionError, match="No such file"):
        UnixCalls(str(tmp_path / "none.sock"), most_idle=1).call("GET", "/")


def test_at_most_so_many_connections_stay_open(served: Callable[..., tuple[Server, UnixCalls]]) -> None:
    server, calls = served(*[[OK]] * 3)
    server.may_close.clear()
    answers = []
    for _ in range(3):
        answers.append(calls.call("GET", "/", timeout=LIMIT_S, stream=True))
        server.may_close.set()
    assert [answer.text for answer in answers] == ["hi"] * 3
    assert len(calls._idle) == 2


@contextmanager
def counted(connection: DockerConnection, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Count the calls of a client's SDK that go through the layers of `requests`."""
    sent: list[str] = []
    monkeypatch.setattr(requests.Session, "send", lambda _, request, **__: sent.append(request.path_url))
    yield sent
    connection.close()


async def test_the_sdk_calls_a_local_engine_without_the_layers_of_requests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with (
        engine_api() as (api, address),
        closing(DockerConnection(pool_size=1, base_url=address)) as connection,
    ):
        await in_thread(connection.client)
        with counted(connection, monkeypatch) as sent:
            assert await connection.call(lambda client: client.info()) == api.info
            await connection.call(lambda client: client.remove_container("one", force=True))
            assert api.removed == ["one"]
            assert sent == []
