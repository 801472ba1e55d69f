"""The stderr of a service process: writing to it never raises and never blocks.

A log volume may be full, and the reader of a pipe may be gone or stalled. Lines then wait in a bounded queue or are
dropped and counted; the next line that can be written says how many are missing. A separate thread writes.
"""

import asyncio
import atexit
import contextlib
import io
import itertools
import json
import math
import os
import select
import sys
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue

from workerpool_kit.health import Health

MAX_LINES = 4_096
"""Longest queue of lines; more are dropped."""
MAX_CHARACTERS = 16_384
"""Longest text, in characters; the rest is cut."""
COMPONENT = "logs"
"""Name of the health component."""
_NEXT_STEP = "free space on the volume that stderr is written to, or restart the reader of its pipe"
_BATCH_BYTES = 1 << 16
_GATHER_S = 0.02
"""Seconds in which lines are batched: a thread switch for each line would load a busy process."""
_RETRY_S = 1.0
_EXIT_LIMIT_S = 1.0


class LogStream(io.TextIOBase):
    """A text stream over a file descriptor, for use as `sys.stderr`. Its methods may be called from each thread.

    A `write` passes whole lines; print and tracebacks write pieces, which are joined by thread up to the line's end.
    """

    def __init__(self, descriptor: int, describe_loss: Callable[[int], str]) -> None:
        """Start the writing thread.

        Args:
            descriptor: an open file descriptor, used by this stream alone.
            describe_loss: returns the line that reports a number of dropped lines.
        """
        self._descriptor = descriptor
        self._describe_loss = describe_loss
        # `put` of a SimpleQueue takes no lock, so a signal handler or a finalizer cannot deadlock.
        self._queue: SimpleQueue[bytes | threading.Event] = SimpleQueue()
        self._unfinished = threading.local()
        self._dropped = 0
        # Reentrant, since a finalizer may write while its thread holds it.
        self._dropping = threading.RLock()
        self._writing_since = math.inf
        self._inside_line = False
        self.problem: str | None = None
        """Why lines cannot be written now; None while they can."""
        self._on_change: list[Callable[[str | None], None]] = []
        threading.Thread(target=self._run, name="log-writer", daemon=True).start()

    # --- the stream ----------------------------------------------------------

    def write(self, text: str) -> int:
        """Queue a text; drop it when the queue is full. Never raises."""
        pending = getattr(self._unfinished, "text", "") + text
        if not pending.endswith("\n") and len(pending) < MAX_CHARACTERS:
            self._unfinished.text = pending
            return len(text)
        self._unfinished.text = ""
        if self._queue.qsize() >= MAX_LINES:
            self._drop(1)
            if time.monotonic() - self._writing_since > _RETRY_S:
                self._set_problem("the reader of the log does not read")
            return len(text)
        if len(pending) > MAX_CHARACTERS:
            pending = f"{pending[:MAX_CHARACTERS]}… ({len(pending) - MAX_CHARACTERS} more characters)\n"
        self._queue.put(pending.encode("utf-8", errors="backslashreplace"))
        return len(text)

    def writable(self) -> bool:
        """Return True: this stream is written to."""
        return True

    def flush(self) -> None:
        """Return at once: lines are written in the background. See `drain`."""

    def close(self) -> None:
        """Return at once: the stream lives as long as the process."""

    def fileno(self) -> int:
        """Return the file descriptor, for libraries that write to it themselves."""
        return self._descriptor

    def isatty(self) -> bool:
        """Return whether a terminal shows the lines."""
        return os.isatty(self._descriptor)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of written bytes."""
        return "utf-8"

    # --- for the process -----------------------------------------------------

    def drain(self, limit_s: float) -> bool:
        """Wait up to `limit_s` seconds until the lines so far are written or dropped; return whether they are."""
        if unfinished := getattr(self._unfinished, "text", ""):
            self._unfinished.text = ""
            self._queue.put(unfinished.encode("utf-8", errors="backslashreplace"))
        reached = threading.Event()
        self._queue.put(reached)
        return reached.wait(limit_s)

    def on_change(self, callback: Callable[[str | None], None]) -> Callable[[], None]:
        """Call `callback` with `problem` after each change of it, in the writing thread; return how to unregister."""
        self._on_change.append(callback)
        return lambda: self._on_change.remove(callback)

    # --- the writing thread --------------------------------------------------

    def _run(self) -> None:
        while True:
            try:
                first = self._queue.get(timeout=_RETRY_S if self._dropped else None)
            except Empty:
                self._report_loss()
                continue
            if isinstance(first, bytes):
                time.sleep(_GATHER_S)
            lines, markers = self._batch(first)
            if lines:
                self._write_lines(lines)
            for marker in markers:
                marker.set()

    def _batch(self, first: bytes | threading.Event) -> tuple[list[bytes], list[threading.Event]]:
        lines: list[bytes] = []
        markers: list[threading.Event] = []
        item, size = first, 0
        with contextlib.suppress(Empty):
            while True:
                if isinstance(item, bytes):
                    lines.append(item)
                    size += len(item)
                else:
                    markers.append(item)
                if size > _BATCH_BYTES:
                    break
                item = self._queue.get_nowait()
        return lines, markers

    def _write_lines(self, lines: list[bytes]) -> None:
        if not self._report_loss():
            self._drop(len(lines))
            return
        written, problem = self._write(b"".join(lines))
        ends = itertools.accumulate(map(len, lines))
        self._drop(sum(end > written for end in ends))
        self._set_problem(problem)

    def _drop(self, lines: int) -> None:
        with self._dropping:
            self._dropped += lines

    def _report_loss(self) -> bool:
        """Write how many lines are missing, if any; return whether lines can be written."""
        if not (dropped := self._dropped):
            return True
        report = self._describe_loss(dropped).encode()
        _, problem = self._write(b"\n" * self._inside_line + report)
        if problem is None:
            self._drop(-dropped)
        self._set_problem(problem)
        return problem is None

    def _write(self, content: bytes) -> tuple[int, str | None]:
        """Return how many bytes were written, and why not all of them were."""
        left = memoryview(content)
        problem = None
        self._writing_since = time.monotonic()
        while left:
            try:
                left = left[os.write(self._descriptor, left) :]
            except BlockingIOError:
                self._wait_writable()
            except (OSError, ValueError) as error:
                problem = getattr(error, "strerror", None) or str(error)
                break
        self._writing_since = math.inf
        written = len(content) - len(left)
        if written:
            self._inside_line = content[written - 1 : written] != b"\n"
        return written, problem

    def _wait_writable(self) -> None:
        """Wait for the reader of a descriptor in non-blocking mode, which another process may have set."""
        poll = select.poll()
        try:
            poll.register(self._descriptor, select.POLLOUT)
            poll.poll()
        except (OSError, ValueError):
            time.sleep(_RETRY_S)

    def _set_problem(self, problem: str | None) -> None:
        if problem == self.problem:
            return
        self.problem = problem
        for callback in list(self._on_change):
            # A callback reports to an event loop that may have ended.
            with contextlib.suppress(Exception):
                callback(problem)


def _loss(count: int) -> str:
    event = {
        "event": "logs.dropped",
        "level": "warning",
        "count": count,
        "reason": "they could not be written",
    }
    return json.dumps({**event, "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}) + "\n"


def drain(limit_s: float) -> None:
    """Wait up to `limit_s` seconds until the lines so far are written, before the process ends at once."""
    if isinstance(sys.stderr, LogStream):
        sys.stderr.drain(limit_s)


def show_in(health: Health) -> Callable[[], None]:
    """Show lost log lines as the health component `logs`, from the running event loop; return how to stop it."""
    stream, loop = sys.stderr, asyncio.get_running_loop()
    if not isinstance(stream, LogStream):
        return lambda: None

    def record(problem: str | None) -> None:
        if problem is None:
            health.set(COMPONENT, True)
        else:
            health.set(COMPONENT, False, problem=f"log lines are lost: {problem}", next_step=_NEXT_STEP)

    def changed(problem: str | None) -> None:
        loop.call_soon_threadsafe(record, problem)

    if stream.problem is not None:
        record(stream.problem)
    return stream.on_change(changed)


def take_stderr() -> LogStream:
    """Make a `LogStream` the `sys.stderr` of this process, and keep the descriptors 0 to 2 open. Call it once, early.

    A descriptor below 3 that is closed at the start would be given to the next file or connection that the process
    opens, and messages for stderr would be written into that.
    """
    if isinstance(sys.stderr, LogStream):
        return sys.stderr
    had_stderr = sys.stderr is not None
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
    # Without a stderr at the start, descriptor 2 may be a library's own by now.
    descriptor = os.dup(2) if had_stderr else os.open(os.devnull, os.O_WRONLY)
    stream = LogStream(descriptor, _loss)
    sys.stderr = stream
    atexit.register(stream.drain, _EXIT_LIMIT_S)
    return stream
