"""Removal of the containers and files of a replicate: of the containers soon after its result, of all at its end."""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any

from workerpool_kit.retry import Backoff, retry
from workerpool_kit.runtime.threads import in_daemon_thread
from workerpool_poco.protocol.ids import TaskId

from workerpool_worker.app.folder_access import with_access
from workerpool_worker.app.ports import Engine, Workspace
from workerpool_worker.app.prepared_container import PreparedContainer

_BACKOFF = Backoff(first_s=0.2, longest_s=15.0, jitter=0.0)
_FILE_ATTEMPTS = 4
_FILES_LIMIT_S = 2.0
_PAUSE_S = 0.3
"""A chain that mines at once takes contribution and reveal in this time, beside a removal that needs a processor."""


async def remove_containers(engine: Engine, task_id: TaskId) -> None:
    """Remove every container of a task. Retry without limit: a replicate has not ended while its app runs."""
    await retry(
        lambda: engine.remove(task_id),
        what="remove the containers",
        on=Exception,
        backoff=_BACKOFF,
        task=task_id,
    )


class ContainerRemoval:
    """Removes the containers of one task once no later stage creates one."""

    def __init__(
        self,
        engine: Engine,
        prepared: PreparedContainer,
        removals: asyncio.Semaphore,
        task_id: TaskId,
        log: Any,
    ) -> None:
        """Remove nothing yet. `removals` bounds how many containers of all replicates are removed at a time."""
        self._engine, self._prepared, self._removals = engine, prepared, removals
        self._task_id, self._log = task_id, log
        self._is_at_end = asyncio.Event()
        self._is_done = False

    async def after(self, saved: asyncio.Future[None]) -> None:
        """Remove the container a moment after a change is durable. `at_end` removes what this misses."""
        await saved
        with suppress(TimeoutError):
            async with asyncio.timeout(_PAUSE_S):
                await self._is_at_end.wait()
                return
        # An abandoned creation may still complete in the engine.
        is_certain = not self._prepared.has_begun
        await self._prepared.drop()
        try:
            async with self._removals:
                await self._engine.remove(self._task_id)
        except Exception as problem:
            self._log.warning("container.removal_deferred", error=str(problem))
        else:
            self._is_done = is_certain

    async def at_end(self) -> None:
        """Remove every container of the task. Retry without limit."""
        self._is_at_end.set()
        await self._prepared.drop()
        if not self._is_done:
            await remove_containers(self._engine, self._task_id)


async def remove_files(workspace: Workspace, engine: Engine, task_id: TaskId, log: Any) -> None:
    """Remove the folder of a task, or rename it after four failed attempts or two seconds.

    A worker without root permissions needs the engine to remove folders that an app created as root, and an app may
    write a million files. The scheduler waits for the final status of the replicate, so the cleanup does not block it:
    a slow removal continues in its thread, and the next start of the worker removes the rest.
    """
    removal = asyncio.create_task(_remove(workspace, engine, task_id))
    removal.add_done_callback(lambda done: done.cancelled() or done.exception())
    done, _ = await asyncio.wait({removal}, timeout=_FILES_LIMIT_S)
    if done and removal.exception() is None:
        return
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(_FILES_LIMIT_S):
            await in_daemon_thread(lambda: workspace.quarantine(task_id), name="quarantine")
    problem = removal.exception() if removal.done() else "its removal is slow and continues in the background"
    log.error("replicate.files_quarantined", folder=str(workspace.of(task_id).path), error=str(problem))


async def _remove(workspace: Workspace, engine: Engine, task_id: TaskId) -> None:
    def remove() -> Awaitable[None]:
        return in_daemon_thread(lambda: workspace.remove(task_id), name="removal")

    await retry(
        lambda: with_access(engine, workspace.of(task_id).iexec_out, remove),
        what="remove the files",
        on=OSError,
        backoff=_BACKOFF,
        attempts=_FILE_ATTEMPTS,
        task=task_id,
    )
