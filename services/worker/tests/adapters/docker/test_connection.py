"""SDK calls in threads, and the SDK's exceptions as the worker's errors."""

import asyncio
import gc
import threading
import time
from typing import Any

import pytest
import requests
from docker import errors
from urllib3.exceptions import ProtocolError
from workerpool_worker.adapters.docker import connection as connections
from workerpool_worker.adapters.docker.connection import DockerConnection, in_thread, translate_errors
from workerpool_worker.adapters.docker.log_stream import unix_seconds
from workerpool_worker.errors import DockerUnavailable, EngineRefused

from services.worker.tests.doubles.engine_api import engine_api


def refusal(status: int) -> errors.APIError:
    response = requests.Response()
    response.status_code = status
    return errors.APIError("refused", response=response, explanation="the engine's explanation")


async def failing(problem: Exception) -> None:
    raise problem


@pytest.mark.parametrize(
    "outage",
    [
        requests.exceptions.ConnectionError("gone"),
        requests.exceptions.ReadTimeout("too slow"),
        requests.exceptions.ChunkedEncodingError("an answer that breaks off"),
        requests.exceptions.JSONDecodeError("an answer of another server", "<html>", 0),
        requests.exceptions.ContentDecodingError("an answer that is not compressed as it says"),
        requests.exceptions.TooManyRedirects("a proxy that sends us round"),
        requests.exceptions.InvalidURL("no address"),
        requests.exceptions.RequestException("anything else"),
        ProtocolError("a stream that breaks off"),
        errors.DockerException("no socket"),
        refusal(500),
        refusal(404),
    ],
    ids=lambda outage: f"{type(outage).__name__} {getattr(outage, 'status_code', '')}".strip(),
)
async def test_a_transient_error_is_an_outage(outage: Exception) -> None:
    with pytest.raises(DockerUnavailable):
        await translate_errors(failing(outage))


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:99999", "http://[::1", "nonsense://engine", "tcp://"])
async def test_a_malformed_address_is_an_outage_that_says_so(address: str) -> None:
    connection = DockerConnection(pool_size=1, base_url=address)
    with pytest.raises(DockerUnavailable, match=r"malformed|Invalid bind address"):
        await connection.call(lambda api: api.info())


@pytest.mark.parametrize("status", [400, 409])
async def test_a_permanent_refusal_is_the_engines_and_not_a_file_error(status: int) -> None:
    assert isinstance(refusal(status), OSError), "the SDK's own error"
    with pytest.raises(EngineRefused, match="refused the call: the engine's explanation") as raised:
        await translate_errors(failing(refusal(status)))
    assert not isinstance(raised.value, OSError)


async def test_a_file_that_cannot_be_written_is_not_an_engine_outage() -> None:
    full = OSError(28, "No space left on device")
    with pytest.raises(OSError, match="No space left") as raised:
        await translate_errors(failing(full))
    assert raised.value is full


async def test_a_thread_returns_its_value_or_raises_its_error() -> None:
    assert await in_thread(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        await in_thread(lambda: 1 / 0)


async def test_a_call_that_a_cancellation_abandons_fails_without_a_report(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reports: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: reports.append(context))
    monkeypatch.setattr(connections, "_CANCEL_LIMIT_S", 0.01)
    connection = DockerConnection(pool_size=1, base_url=None)
    monkeypatch.setattr(connection, "client", lambda: None)
    asked, answer = asyncio.Event(), threading.Event()

    def hangs(_: Any) -> None:
        loop.call_soon_threadsafe(asked.set)
        answer.wait(timeout=60)
        raise requests.exceptions.ReadTimeout("too slow")

    caller = asyncio.create_task(connection.call(hangs))
    await asked.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    answer.set()
    current = asyncio.current_task()
    await asyncio.wait([task for task in asyncio.all_tasks() if task is not current])
    gc.collect()
    assert reports == []


async def test_an_engine_behind_tcp_is_reached_without_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy of the environment is for servers outside."""
    asked: list[bytes] = []

    async def engine(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0])
        body = b'{"ApiVersion": "1.44"}'
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        writer.close()

    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    async with await asyncio.start_server(engine, "127.0.0.1", 0) as server:
        url = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        connection = DockerConnection(pool_size=1, base_url=url)
        await in_thread(connection.client)
        connection.close()
    assert asked == [b"GET /version HTTP/1.1"]


async def test_the_engine_returns_the_time_of_its_host() -> None:
    with engine_api() as (api, address):
        api.info["SystemTime"] = "2001-09-09T01:46:40.5Z"
        connection = DockerConnection(pool_size=1, base_url=address)
        assert await connection.time() == 1_000_000_000.5
        connection.close()


def test_a_timestamp_is_unix_time_and_an_unset_one_is_now() -> None:
    assert unix_seconds("2001-09-09T01:46:41.25Z") == 1_000_000_001.25
    before = time.time()
    assert before <= unix_seconds("0001-01-01T00:00:00Z") <= time.time()
