"""Requests to other services that are in flight: at most one per subject, all cancelled on stop."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

from workerpool_kit.logs import get_logger

log = get_logger()

K = TypeVar("K", bound=Hashable)


class RequestsInFlight(Generic[K]):
    """Event-loop tasks by the subject of their request; truthy while a request is in flight."""

    def __init__(self) -> None:
        self._in_flight: dict[K, asyncio.Task[None]] = {}

    def __len__(self) -> int:
        return len(self._in_flight)

    def start(self, subject: K, request: Callable[[], Coroutine[Any, Any, None]], *, name: str) -> None:
        """Start a request; do nothing while one of the same subject is in flight."""
        if subject not in self._in_flight:
            task = asyncio.create_task(request(), name=name)
            self._in_flight[subject] = task
            task.add_done_callback(lambda done: self._ended(subject, done))

    def complete(self, subject: K) -> None:
        """Free a subject before its answer is delivered, because the answer may start the next request."""
        self._in_flight.pop(subject, None)

    async def close(self) -> None:
        """Cancel every request and wait for its end."""
        in_flight = list(self._in_flight.values())
        for task in in_flight:
            task.cancel()
        await asyncio.gather(*in_flight, return_exceptions=True)

    def _ended(self, subject: K, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            # A requester may have named the peer, so none of its answers may stop core. The scheduler's timers retry.
            log.error("request.failed", request=task.get_name(), error=repr(error), exc_info=error)
        # The entry may already belong to the subject's next request.
        if self._in_flight.get(subject) is task:
            del self._in_flight[subject]
