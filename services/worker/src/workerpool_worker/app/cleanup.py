"""Removal of the containers and files of an ended replicate."""

import asyncio
from contextlib import suppress
from typing import Any

from workerpool_kit.retry import Backoff, retry
from workerpool_poco.protocol.ids import TaskId

from workerpool_worker.app.ports import Engine, Workspace

_BACKOFF = Backoff(first_s=0.2, longest_s=15.0, jitter=0.0)
_FILE_ATTEMPTS = 4


async def remove_containers(engine: Engine, task_id: TaskId) -> None:
    """Remove every container of a task. Retry without limit: a replicate has not ended while its app runs."""
    await retry(
        lambda: engine.remove(task_id),
        what="remove the containers",
        on=Exception,
        backoff=_BACKOFF,
        task=task_id,
    )


async def remove_files(workspace: Workspace, task_id: TaskId, log: Any) -> None:
    """Remove the folder of a task, or quarantine it after four attempts.

    A worker without root permissions cannot remove folders that an app created as root. The scheduler waits for the
    final status of the replicate, so the cleanup does not block it.
    """
    try:
        await retry(
            lambda: asyncio.to_thread(workspace.remove, task_id),
            what="remove the files",
            on=OSError,
            backoff=_BACKOFF,
            attempts=_FILE_ATTEMPTS,
            task=task_id,
        )
    except OSError as problem:
        with suppress(OSError):
            await asyncio.to_thread(workspace.quarantine, task_id)
        folder = str(workspace.of(task_id).path)
        log.error("replicate.files_quarantined", folder=folder, error=str(problem))
