"""How long each app container really ran, as the Docker engine says."""

from __future__ import annotations

import contextlib
import threading
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import docker
from workerpool_poco.protocol.ids import TaskId

TASK_LABEL = "workerpool.task"
"""Label of every app container; its value is the task id."""


class ContainerClock:
    """Adds up the run times of the containers of each task, from the engine's start and die events."""

    def __init__(self) -> None:
        self._client = docker.from_env()
        self._events = self._client.events(decode=True, filters={"type": "container", "label": TASK_LABEL})
        self._started: dict[str, int] = {}
        self._nanoseconds: dict[str, list[int]] = defaultdict(list)
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def longest(self, task_id: TaskId) -> float:
        """Seconds of the task's longest container; 0 when none has ended."""
        return max(self._nanoseconds[task_id], default=0) / 1e9

    def _listen(self) -> None:
        with contextlib.suppress(ValueError, OSError, AttributeError):  # the stream was closed
            for event in self._events:
                self._take(event)

    def _take(self, event: dict[str, Any]) -> None:
        container = event["Actor"]["ID"]
        if event["Action"] == "start":
            self._started[container] = event["timeNano"]
        elif event["Action"] == "die" and container in self._started:
            task_id = event["Actor"]["Attributes"][TASK_LABEL]
            self._nanoseconds[task_id].append(event["timeNano"] - self._started.pop(container))

    @classmethod
    @contextlib.contextmanager
    def running(cls) -> Iterator[ContainerClock]:
        """Listen to the engine for as long as the context lasts."""
        clock = cls()
        clock._thread.start()
        try:
            yield clock
        finally:
            clock._events.close()
            clock._thread.join(timeout=2)
            clock._client.close()
