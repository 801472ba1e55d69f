"""What a container prints, read while it runs from the log that the engine keeps: the app itself never waits for it."""

import asyncio
import struct
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import requests
import structlog
from docker import errors
from docker.types import CancellableStream

from workerpool_worker.adapters.docker.calls import CALL_LIMIT_S, in_thread
from workerpool_worker.app.ports import OutputSink
from workerpool_worker.domain.output_tail import OutputStream

log = structlog.get_logger()

_PERIOD_S = 0.5
_MOST_ENTRIES, _MOST_BYTES = 2_000, 1 << 20
"""Read in one period. Whoever prints more is read again in the next one, from shortly before its newest entry on."""
_TAIL_ENTRIES = 500
_SILENCE_S = 5
"""After this the connection is renewed, in case the engine forgot it."""
_BLOCK_BYTES = 1 << 16
_HEADER = struct.Struct(">BxxxL")
_STREAMS = {1: OutputStream.STDOUT, 2: OutputStream.STDERR}
_NANOSECONDS = 10**9
_TROUBLES = (errors.DockerException, requests.exceptions.RequestException)


class OutputFollower:
    """Reads the output of one container for as long as it is wanted."""

    def __init__(
        self, client: Callable[[], Any], container: str, sink: OutputSink, *, from_now: bool
    ) -> None:
        """Prepare.

        Args:
            client: returns the SDK's client; called in a thread.
            container: its id.
            sink: gets the output, in a thread.
            from_now: leave out what was printed before, else begin with the first line.
        """
        self._client = client
        self._container = container
        self._sink = sink
        self._position = _Position(_now() if from_now else "")
        self._behind = False
        """Whether more came than was read: then the log's end is polled until nothing is new, else it is followed."""
        self._gap = from_now
        """Whether something is left out before what comes next."""

    async def follow(self) -> None:
        """Hand output over until cancelled. An engine that is away, or has no such container, is asked again."""
        while True:
            # First of all: an app that ends at once costs no further call, its logs are copied anyway.
            await asyncio.sleep(_PERIOD_S)
            reading = _Reading()
            try:
                await in_thread(partial(self._read, reading))
            except _TROUBLES as trouble:
                log.debug("output.unreadable", container=self._container[:12], error=str(trouble))
            finally:
                reading.stop()

    def _read(self, reading: "_Reading") -> None:
        """Read until the container ends, too much came, or nobody wants it any more."""
        with self._open() as response:
            if not reading.begin(response):
                return
            allowance = _Allowance()
            entries, any_new = 0, False
            for kind, entry in frames(response.iter_content(_BLOCK_BYTES)):
                entries += 1
                stamp, _, data = entry.partition(b" ")
                if not self._position.passes(stamp):
                    continue
                any_new = True
                if self._gap:
                    self._gap = False
                    self._sink.skip()
                if kind in _STREAMS:
                    self._sink.add(_STREAMS[kind], data)
                if allowance.spent(len(entry)):
                    self._behind = self._gap = True
                    return
            # Not before a poll finds nothing: an engine that is replacing the log may give a part of its end.
            self._behind = self._behind and any_new
            self._gap = self._behind and entries >= _TAIL_ENTRIES

    def _open(self) -> requests.Response:
        parameters: dict[str, Any] = {"timestamps": 1}
        if since := self._position.go_on(behind=self._behind):
            parameters |= {"since": since, "tail": _TAIL_ENTRIES}
        # Engines lose followers of a log that is replaced too often; what is there already they always give.
        parameters["follow"] = int(not self._behind)
        return _open_log(self._client(), self._container, _SILENCE_S, parameters)


class _Position:
    """Up to where a log was read: a time, and how many entries of that time. The parts of a long line share one."""

    def __init__(self, since: str) -> None:
        """Begin with entries from ``since`` on, Unix seconds as text; empty for all."""
        self._since = since
        self._newest = b""
        self._seen = 0
        self._known = 0
        """Entries of the newest time that will come again."""

    def go_on(self, *, behind: bool) -> str:
        """Return from when on to read, empty for the beginning; what came already is left out of it by `passes`.

        Except when so many parts of one line came that the newest of them cannot be told from new ones.
        """
        if behind and self._seen >= _TAIL_ENTRIES // 2:
            self._seen = 0
        self._known = min(self._seen, _TAIL_ENTRIES)
        return unix_time(self._newest.decode()) if self._newest else self._since

    def passes(self, stamp: bytes) -> bool:
        """Take the time of the next entry, and tell whether the entry is new."""
        if stamp != self._newest:
            self._newest, self._seen, self._known = stamp, 1, 0
            return True
        if self._known:
            self._known -= 1
            return False
        self._seen += 1
        return True


class _Reading:
    """One connection, which the event loop may cut while a thread waits for its next bytes."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._response: requests.Response | None = None
        self._stopped = False

    def begin(self, response: requests.Response) -> bool:
        """Say what is being read; False when nobody wants it any more."""
        with self._lock:
            self._response = response
            return not self._stopped

    def stop(self) -> None:
        """Let the thread's read return at once, if it has not yet."""
        with self._lock:
            self._stopped = True
            if self._response is not None:
                # It may be closed in this very moment by the other side, or by the thread.
                with suppress(errors.DockerException, AttributeError, OSError, ValueError):
                    CancellableStream(iter(()), self._response).close()


class _Allowance:
    """What may be read in a period, anew in each."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._entries = self._bytes = 0

    def spent(self, size: int) -> bool:
        """Count one entry of so many bytes, and tell whether it was the last for this period."""
        now = time.monotonic()
        if now - self._began > _PERIOD_S:
            self._began, self._entries, self._bytes = now, 0, 0
        self._entries += 1
        self._bytes += size
        return self._entries >= _MOST_ENTRIES or self._bytes >= _MOST_BYTES


def copy_output(api: Any, container: str, targets: Mapping[OutputStream, Path]) -> None:
    """Write what a container has printed to files, block by block; raises what the SDK raises. Blocks."""
    with ExitStack() as stack:
        files = {stream: stack.enter_context(path.open("wb")) for stream, path in targets.items()}
        response = stack.enter_context(_open_log(api, container, CALL_LIMIT_S, {}))
        for kind, data in frames(response.iter_content(_BLOCK_BYTES)):
            if kind in _STREAMS:
                files[_STREAMS[kind]].write(data)


def _open_log(api: Any, container: str, silence_s: float, parameters: Mapping[str, Any]) -> requests.Response:
    """Ask for a container's log. The SDK's own method tells the streams apart only by asking for one at a time."""
    response: requests.Response = api.get(
        f"{api.base_url}/v{api.api_version}/containers/{container}/logs",
        params={"stdout": 1, "stderr": 1, **parameters},
        stream=True,
        timeout=(CALL_LIMIT_S, silence_s),
    )
    try:
        response.raise_for_status()
    except requests.exceptions.HTTPError as refusal:
        errors.create_api_error_from_http_exception(refusal)
    return response


def frames(blocks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Split the engine's stream, cut anywhere into blocks, into entries: (1 stdout, 2 stderr; what was printed).

    Each has a header of 8 bytes: the stream, three zeros, the length (Docker Engine API, "Stream format").
    """
    buffer = bytearray()
    for block in blocks:
        buffer += block
        begin = 0
        while len(buffer) - begin >= _HEADER.size:
            kind, length = _HEADER.unpack_from(buffer, begin)
            end = begin + _HEADER.size + length
            if len(buffer) < end:
                break
            yield kind, bytes(buffer[begin + _HEADER.size : end])
            begin = end
        del buffer[:begin]


def unix_time(stamp: str) -> str:
    """Return an entry's time, ``2024-05-01T10:00:00.123456789Z``, as Unix seconds, in the engine's full precision."""
    whole, _, fraction = stamp.rstrip("Z").partition(".")
    seconds = int(datetime.fromisoformat(whole + "+00:00").timestamp())
    return f"{seconds}.{fraction.ljust(9, '0')}"


def _now() -> str:
    seconds, nanoseconds = divmod(time.time_ns(), _NANOSECONDS)
    return f"{seconds}.{nanoseconds:09}"
