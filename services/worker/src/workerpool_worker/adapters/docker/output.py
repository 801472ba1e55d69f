"""Output of a running container, read from the engine's log file, so that the app is never blocked."""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import requests
from docker import errors
from docker.types import CancellableStream
from workerpool_kit.logs import get_logger

from workerpool_worker.adapters.docker.connection import CALL_LIMIT_S, in_thread
from workerpool_worker.adapters.docker.log_stream import LogCursor, split_entries, unix_now
from workerpool_worker.app.ports import OutputSink
from workerpool_worker.domain.output_tail import OutputStream

log = get_logger()

_PERIOD_S = 0.5
_MAX_ENTRIES, _MAX_BYTES = 2_000, 1 << 20
"""Limits of one period. Beyond them the reader continues in the next period, shortly before the newest entry."""
_TAIL_ENTRIES = 500
_SILENCE_S = 5
"""The connection is renewed after this silence, because an engine may lose a follower without closing it."""
_COPIED_TAIL_ENTRIES = 50_000
"""At two characters a line, the 100,000 characters of a report."""
_BLOCK_BYTES = 1 << 16
_STREAMS = {1: OutputStream.STDOUT, 2: OutputStream.STDERR}
_TROUBLES = (errors.DockerException, requests.exceptions.RequestException)


class OutputFollower:
    """Reads the output of one container until cancelled."""

    def __init__(
        self, client: Callable[[], Any], container: str, sink: OutputSink, *, from_now: bool
    ) -> None:
        """Create a follower that does not read yet.

        Args:
            client: returns the SDK's client; called in a thread.
            container: id of the container.
            sink: receives the output, in a thread.
            from_now: skip earlier output; otherwise start with the first line.
        """
        self._client = client
        self._container = container
        self._sink = sink
        self._cursor = LogCursor(unix_now() if from_now else "", tail_entries=_TAIL_ENTRIES)
        self._behind = False
        """Whether output exceeded the limits. Then the log's end is polled until it has no new entry."""
        self._gap = from_now
        """Whether output is missing before the next entry."""

    async def follow(self) -> None:
        """Pass output to the sink until cancelled. An unavailable engine or missing container is retried."""
        while True:
            # Sleeping first saves a call for an app that ends at once. Its logs are copied at its end.
            await asyncio.sleep(_PERIOD_S)
            connection = _LogConnection()
            try:
                await in_thread(partial(self._read, connection))
            except _TROUBLES as trouble:
                log.debug("output.read_failed", container=self._container[:12], error=str(trouble))
            finally:
                connection.close()

    def _read(self, connection: "_LogConnection") -> None:
        """Read until the container ends, a limit is reached, or the follower is cancelled."""
        with self._open() as response:
            if not connection.open(response):
                return
            budget = _ReadBudget()
            entries, any_new = 0, False
            for kind, entry in split_entries(response.iter_content(_BLOCK_BYTES)):
                entries += 1
                stamp, _, data = entry.partition(b" ")
                if not self._cursor.advance(stamp):
                    continue
                any_new = True
                if self._gap:
                    self._gap = False
                    self._sink.mark_gap()
                if kind in _STREAMS:
                    self._sink.add(_STREAMS[kind], data)
                if budget.spend(len(entry)):
                    self._behind = self._gap = True
                    return
            # Stay behind until a poll finds nothing new: during a log rotation the engine may return a partial tail.
            self._behind = self._behind and any_new
            self._gap = self._behind and entries >= _TAIL_ENTRIES

    def _open(self) -> requests.Response:
        parameters: dict[str, Any] = {"timestamps": 1}
        if since := self._cursor.resume(behind=self._behind):
            parameters |= {"since": since, "tail": _TAIL_ENTRIES}
        # An engine loses followers of a log that rotates quickly, but it always returns existing entries.
        parameters["follow"] = int(not self._behind)
        api = self._client()
        read = partial(api.get, stream=True)
        return _open_log(api, self._container, _SILENCE_S, parameters, read=read)


class _LogConnection:
    """One HTTP response that the event loop may close while a thread reads it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._response: requests.Response | None = None
        self._closed = False

    def open(self, response: requests.Response) -> bool:
        """Register the response that is read. Return False if the connection was closed before."""
        with self._lock:
            self._response = response
            return not self._closed

    def close(self) -> None:
        """Close the response, so that the reading thread returns at once."""
        with self._lock:
            self._closed = True
            if self._response is not None:
                # The peer or the reading thread may close it at the same time.
                with suppress(errors.DockerException, AttributeError, OSError, ValueError):
                    CancellableStream(iter(()), self._response).close()


class _ReadBudget:
    """Entries and bytes that may be read in one period. Each period renews it."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._entries = self._bytes = 0

    def spend(self, size: int) -> bool:
        """Count an entry of `size` bytes. Return True if the budget of this period is exhausted."""
        now = time.monotonic()
        if now - self._began > _PERIOD_S:
            self._began, self._entries, self._bytes = now, 0, 0
        self._entries += 1
        self._bytes += size
        return self._entries >= _MAX_ENTRIES or self._bytes >= _MAX_BYTES


def copy_output(
    api: Any, container: str, targets: Mapping[OutputStream, Path], *, only_tail: bool = False
) -> None:
    """Write the output of a container to files, block by block. Blocks; raises the SDK's exceptions.

    The engine needs a processor for about a second to return a full log of short lines. `only_tail` copies the newest
    50,000 lines of both streams together.
    """
    parameters = {"tail": _COPIED_TAIL_ENTRIES} if only_tail else {}
    with ExitStack() as stack:
        files = {stream: stack.enter_context(path.open("wb")) for stream, path in targets.items()}
        response = stack.enter_context(_open_log(api, container, CALL_LIMIT_S, parameters, read=api.read))
        for kind, data in split_entries(response.iter_content(_BLOCK_BYTES)):
            if kind in _STREAMS:
                files[_STREAMS[kind]].write(data)


def _open_log(
    api: Any,
    container: str,
    silence_s: float,
    parameters: Mapping[str, Any],
    *,
    read: Callable[..., requests.Response],
) -> requests.Response:
    """Request a container's log. The SDK's own method separates the streams only with one request for each."""
    response = read(
        f"{api.base_url}/v{api.api_version}/containers/{container}/logs",
        params={"stdout": 1, "stderr": 1, **parameters},
        timeout=(CALL_LIMIT_S, silence_s),
    )
    try:
        response.raise_for_status()
    except requests.exceptions.HTTPError as refusal:
        errors.create_api_error_from_http_exception(refusal)
    return response
