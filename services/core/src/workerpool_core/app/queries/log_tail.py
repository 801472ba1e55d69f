"""The output of a task's apps as a stream: stored logs and live output, in pieces without repetition."""

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field

from workerpool_poco.protocol.ids import TaskId, address

from workerpool_core.app.ports import ComputeLogs
from workerpool_core.app.queries.live_logs import MAX_LOG_CHARACTERS, LiveLogs, LiveOutput, Tail
from workerpool_core.app.queries.task_queries import TaskQueries
from workerpool_core.app.queries.watchers import Watchers
from workerpool_core.domain.model import Task

_COMPARED = 400
"""Last characters of the sent text that the next text must contain at the same place."""


@dataclass(frozen=True, slots=True)
class LogPiece:
    """Text after the previous piece of the same worker and stream; with `gap_before`, text before it is missing."""

    wallet: str
    is_stderr: bool
    text: str
    gap_before: bool = False


@dataclass(slots=True)
class _Sent:
    """The sent part of one stream: `end` characters, of which `last` are the newest."""

    end: int = 0
    last: str = ""

    def running(self, tail: Tail) -> tuple[str, bool]:
        """Return the new output of a running app, and whether text before it is missing; mark it as sent."""
        start = tail.end - len(tail.text)
        missing = start > self.end or tail.end < self.end
        new = tail.text if missing else tail.text[self.end - start :]
        self.end = tail.end
        return self._noted(new, missing)

    def complete(self, text: str) -> tuple[str, bool]:
        """Return the part of complete logs that was not sent, and whether text before it is missing.

        Live output may have been lost in transit, so the texts are compared.
        """
        if len(text) < MAX_LOG_CHARACTERS and text[: self.end].endswith(self.last):
            new, missing = text[self.end :], False
        elif (place := text.find(self.last)) >= 0:
            new, missing = text[place + len(self.last) :], False
        else:
            new, missing = text, True
        self.end = len(text)
        return self._noted(new, missing)

    def _noted(self, new: str, missing: bool) -> tuple[str, bool]:
        self.last = (self.last + new)[-_COMPARED:]
        return new, missing


@dataclass(slots=True)
class _Reader:
    """The pieces of one answer, by worker and stream."""

    tail_lines: int
    _sent: dict[tuple[str, bool], _Sent] = field(default_factory=dict)
    _started: set[tuple[str, bool]] = field(default_factory=set)

    def running(self, output: LiveOutput) -> Iterator[LogPiece]:
        """Yield the new output of a running app since the last call."""
        for is_stderr, tail in ((False, output.stdout), (True, output.stderr)):
            sent = self._stream(output.wallet, is_stderr)
            yield from self._piece(output.wallet, is_stderr, *sent.running(tail))

    def complete(self, logs: ComputeLogs) -> Iterator[LogPiece]:
        """Yield the part of complete logs that was not sent."""
        for is_stderr, text in ((False, logs.stdout), (True, logs.stderr)):
            sent = self._stream(logs.wallet, is_stderr)
            yield from self._piece(logs.wallet, is_stderr, *sent.complete(text))

    def _stream(self, wallet: str, is_stderr: bool) -> _Sent:
        return self._sent.setdefault((wallet, is_stderr), _Sent())

    def _piece(self, wallet: str, is_stderr: bool, text: str, missing: bool) -> Iterator[LogPiece]:
        is_first = (wallet, is_stderr) not in self._started
        self._started.add((wallet, is_stderr))
        if is_first:
            text = _last_lines(text, self.tail_lines)
        if text:
            yield LogPiece(wallet, is_stderr, text, missing and not is_first)


class LogTail:
    """The reader of logs for an operator; `changed` notifies of new output, and of changes of tasks."""

    def __init__(
        self, queries: TaskQueries, live: LiveLogs, tasks: Mapping[TaskId, Task], changed: Watchers
    ) -> None:
        """Create a reader; `tasks` are the live tasks."""
        self._queries = queries
        self._live = live
        self._tasks = tasks
        self._changed = changed

    async def pieces(
        self, task_id: TaskId, wallet: str = "", *, follow: bool = False, tail_lines: int = 0
    ) -> AsyncIterator[LogPiece]:
        """Yield the output of a task's apps, only of `wallet` unless it is empty, from its last lines on.

        With `follow` it continues until the task has ended. `tail_lines` of 0 means all lines. Raises UnknownTask.
        """
        await self._queries.task(task_id)
        wallet = address(wallet) if wallet else ""
        reader = _Reader(tail_lines)
        running: set[str] = set()
        must_read = True
        async for _ in self._changed.follow(task_id):
            ended = self._has_ended(task_id)
            live = self._live.outputs(task_id, wallet)
            now = {each.wallet for each in live}
            for each in live:
                for piece in reader.running(each):
                    yield piece
            # The store holds the complete logs of an app that ended.
            if must_read or ended or running - now:
                for kept in await self._queries.logs(task_id, wallet):
                    if kept.wallet not in now:
                        for piece in reader.complete(kept):
                            yield piece
            running, must_read = now, False
            if ended or not follow:
                return

    def _has_ended(self, task_id: TaskId) -> bool:
        task = self._tasks.get(task_id)
        return task is None or task.ended


def _last_lines(text: str, count: int) -> str:
    if count <= 0:
        return text
    lines = text.splitlines(keepends=True)
    return "".join(lines[-count:])
