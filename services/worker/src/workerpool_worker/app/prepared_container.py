"""The container of a replicate's app, created concurrently with other work and not started yet."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from workerpool_kit.logs import get_logger
from workerpool_poco.protocol.ids import TaskId

from workerpool_worker.app.ports import Engine
from workerpool_worker.errors import AppCannotStart, EngineFailure, HostDeviceUnavailable

log = get_logger()

_REMOVAL_LIMIT_S = 2.0
_FINAL = (AppCannotStart, HostDeviceUnavailable)
"""Failures that a second creation would only repeat, the latter after a minute."""


class PreparedContainer:
    """At most one creation of a container. It saves time and nothing else: COMPUTE creates what is not prepared."""

    def __init__(self, engine: Engine, task_id: TaskId) -> None:
        self._engine, self._task_id = engine, task_id
        self._creation: asyncio.Task[str] | None = None

    @property
    def has_begun(self) -> bool:
        """Whether a container may exist that was not taken yet."""
        return self._creation is not None

    @property
    def has_container(self) -> bool:
        """Whether a container is being created, or was created and not taken yet."""
        creation = self._creation
        return creation is not None and not (creation.done() and _failed(creation))

    def begin(self, create: Coroutine[Any, Any, str]) -> None:
        """Create a container beside the caller. `create` returns its id. Call it while there is no container."""
        self._creation = asyncio.create_task(create, name="container-preparation")
        # If no caller takes the container, its failure is of no interest.
        self._creation.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def take(self) -> str | None:
        """Return the id of the container once it is created; None if there is none.

        Raises `AppCannotStart` or `HostDeviceUnavailable` if no creation can succeed.
        """
        if (creation := self._creation) is None:
            return None
        await asyncio.wait({creation})
        self._creation = None
        if creation.cancelled():
            return None
        if (failure := creation.exception()) is None:
            return creation.result()
        if isinstance(failure, _FINAL):
            raise failure
        log.info("container.preparation_failed", reason=str(failure))
        return None

    async def drop(self) -> bool:
        """End the creation. Return whether it made a container, for the caller to remove.

        A call of the engine in flight ends first, so that no container appears after a cleanup.
        """
        if (creation := self._creation) is None:
            return False
        if not creation.cancelling():
            # A second cancellation would interrupt the wait for that call.
            creation.cancel()
        await asyncio.wait({creation})
        self._creation = None
        return not _failed(creation)

    async def remove(self) -> None:
        """End the creation and remove its container, within seconds. The worker's next start removes what stays."""
        if not await self.drop():
            return
        try:
            async with asyncio.timeout(_REMOVAL_LIMIT_S):
                await self._engine.remove(self._task_id)
        except (EngineFailure, TimeoutError) as problem:
            log.warning("container.removal_deferred", task=self._task_id, error=str(problem))


def _failed(creation: asyncio.Task[str]) -> bool:
    return creation.cancelled() or creation.exception() is not None
