"""Removal of the containers and files of an ended replicate."""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any

from workerpool_kit.retry import Backoff, retry
from workerpool_kit.runtime.threads import in_daemon_thread
from workerpool_poco.protocol.ids import TaskId

from workerpool_worker.app.folder_access import with_access
from workerpool_worker.app.ports import Engine, Workspace

_BACKOFF = Backoff(first_s=0.2, longest_s=15.0, jitter=0.0)
_FILE_ATTEMPTS = 4
_FILES_LIMIT_S = 2.0


async def remove_containers(engine: Engine, task_id: TaskId) -> None:
    """Remove every container of a task. Retry without limit: a replicate has not ended while its app runs."""
    await retry(
        lambda: engine.remove(task_id),
        what="remove the containers",
        on=Exception,
        backoff=_BACKOFF,
        task=task_id,
    )


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
