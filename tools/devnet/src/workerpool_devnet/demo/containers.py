"""Run times of the app containers, from the events of the Docker engine."""

from __future__ import annotations

import contextlib
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import docker
from workerpool_poco.protocol.ids import TaskId

TASK_LABEL = "workerpool.task"
"""Label of every app container; its value is the task id."""


class ContainerClock:
    """Records the run times of the containers of each task, from the start and die events of the engine."""

    def __init__(self) -> None:
        self._started: dict[str, int] = {}
        self._nanoseconds: dict[str, list[int]] = defaultdict(list)

    def longest(self, task_id: TaskId) -> float:
        """Return the run time of the longest container of a task in seconds; 0 when none has ended."""
        return max(self._nanoseconds[task_id], default=0) / 1e9

    def record(self, event: dict[str, Any]) -> None:
        """Record a start or die event of the engine."""
        container = event["Actor"]["ID"]
        if event["Action"] == "start":
            self._started[container] = event["timeNano"]
        elif event["Action"] == "die" and container in self._started:
            task_id = event["Actor"]["Attributes"][TASK_LABEL]
            self._nanoseconds[task_id].append(event["timeNano"] - self._started.pop(container))

    @classmethod
    @contextlib.contextmanager
    def running(cls) -> Iterator[ContainerClock]:
        """Listen to the events of the engine inside a context."""
        clock, client = cls(), docker.from_env()
        events = client.events(decode=True, filters={"type": "container", "label": TASK_LABEL})
        thread = threading.Thread(target=clock._listen, args=(events,), daemon=True)
        thread.start()
        try:
            yield clock
        finally:
            events.close()
            thread.join(timeout=2)
            client.close()

    def _listen(self, events: Iterable[dict[str, Any]]) -> None:
        with contextlib.suppress(ValueError, OSError, AttributeError):  # the stream was closed
            for event in events:
                self.record(event)
