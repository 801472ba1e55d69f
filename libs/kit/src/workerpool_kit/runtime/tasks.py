"""Background tasks of the event loop: none ends unnoticed.

asyncio reports the exception of a task only when the task is garbage collected, and keeps no reference to a running
one. A task that no caller awaits is therefore started with `start_task`: its failure ends the process, which its
operator or a restart policy notices. `Lifetime.spawn` does the same for tasks that live as long as the process.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from workerpool_kit.logs import get_logger

T = TypeVar("T")
log = get_logger()

_CANCEL_AGAIN_S = 0.5
_running: set[asyncio.Task[Any]] = set()
_on_failure: list[Callable[[str, BaseException], None]] = []


def supervise_with(fail: Callable[[str, BaseException], None]) -> None:
    """Pass the name and the failure of each task to `fail` from now on. Call it once per process."""
    _on_failure[:] = [fail]


def start_task(work: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
    """Run `work` in the background. If it raises, the process ends with exit code 1.

    A caller may await or cancel the task, but need not keep it. `work` handles the errors that it expects.
    """
    task = asyncio.create_task(work, name=name)
    _running.add(task)
    task.add_done_callback(_ended)
    return task


def _ended(task: asyncio.Task[Any]) -> None:
    _running.discard(task)
    if task.cancelled() or (error := task.exception()) is None:
        return
    if not _on_failure:
        log.error("task.failed", task=task.get_name(), error=repr(error), exc_info=error)
    for fail in _on_failure:
        fail(task.get_name(), error)


async def end_tasks(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks until each has ended; their owners handle results and errors.

    One cancellation is not enough: a library may convert it into its own error (PyMongo's event-loop client does so
    while it connects), which the task then handles as a failed call.
    """
    while unfinished := {task for task in tasks if not task.done()}:
        for task in unfinished:
            task.cancel()
        await asyncio.wait(unfinished, timeout=_CANCEL_AGAIN_S)
