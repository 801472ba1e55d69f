"""The end of the worker's process: drained, for good, or to be back soon."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from workerpool_kit.logs import get_logger
from workerpool_poco.protocol.ids import TaskId

from workerpool_worker.app.supervisor import Supervisor
from workerpool_worker.domain.departure import DRAINS, STOPS, may_finish

log = get_logger()

_POLL_S = 0.1
_FAREWELL_S = 2.0
_REMOVAL_S = 5.0
"""Seconds to remove the containers and files of transferred replicates."""


class Farewell(Protocol):
    """The stream to the scheduler, as far as the end of the process needs it."""

    def availability_changed(self) -> None:
        """Report to the scheduler whether the worker accepts work."""

    async def leave(self, return_within_s: float, limit_s: float) -> bool:
        """Announce the end of the process. Return within `limit_s` seconds whether the scheduler received it."""


class Departure:
    """Ends the worker's work. `refusal` is why it takes no new work; empty while it does."""

    def __init__(
        self,
        supervisor: Supervisor,
        session: Farewell,
        *,
        finish_s: float,
        return_within_s: Callable[[], float],
        stop: Callable[[str], None],
    ) -> None:
        """Store the arguments; nothing is opened or changed yet.

        Args:
            supervisor: the worker's replicates.
            session: the stream to the scheduler.
            finish_s: seconds that short steps get to finish when the worker leaves for good.
            return_within_s: returns the seconds within which the worker is back; 0 when it leaves for good.
            stop: requests the end of the process, with a reason.
        """
        self._supervisor, self._session = supervisor, session
        self._finish_s, self._return_within_s = finish_s, return_within_s
        self._stop = stop
        self._drained = False
        self.refusal = ""

    async def drain_when(self, requested: asyncio.Event) -> None:
        """Take no new work once it is requested, and stop the process when every replicate has ended."""
        await requested.wait()
        self._refuse(DRAINS)
        log.info("worker.drain_started", replicates=len(self._supervisor.held()))
        while True:
            if self._supervisor.is_idle:
                break
            await asyncio.sleep(_POLL_S)
        self._drained = True
        self._stop("drained")

    async def leave(self) -> None:
        """Finish or hand over replicates, and notify the scheduler. Call it once a stop is requested."""
        # A drained worker has nothing to return to.
        within_s = 0.0 if self._drained else self._return_within_s()
        if within_s <= 0:
            self._refuse(STOPS)
            await self._finish()
        known = await self._session.leave(within_s, _FAREWELL_S)
        held = [record.task_id for record in self._supervisor.held()]
        log.info("worker.left", return_within_s=within_s, scheduler_knows=known, replicates=len(held))
        if known and within_s <= 0:
            given = await self._supervisor.hand_over(_REMOVAL_S)
            if given:
                log.info("replicates.handed_over", tasks=given)
            self._warn_of_stakes(sorted({*held} - {*given}))

    def _refuse(self, reason: str) -> None:
        self.refusal = reason
        self._session.availability_changed()

    async def _finish(self) -> None:
        """Wait for the short steps that run."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._finish_s
        while any(map(may_finish, self._supervisor.held())):
            if loop.time() >= end:
                return
            await asyncio.sleep(_POLL_S)

    def _warn_of_stakes(self, kept: list[TaskId]) -> None:
        if kept:
            log.warning(
                "contributions.left_unrevealed",
                tasks=kept,
                advice="their stake is lost unless this worker starts again before their deadlines",
            )
