"""`poolworker drain` and `poolworker stop`: end the worker of this host, and wait for its end."""

import os
import signal
import time
from collections.abc import Callable

from workerpool_worker.adapters.files.stop_intent import say_return_within, withdraw_return_within
from workerpool_worker.adapters.files.worker_lock import Holder, holder_of
from workerpool_worker.adapters.journal_reading import read_journal
from workerpool_worker.errors import CommandRefused, WorkerNotRunning
from workerpool_worker.settings import WorkerSettings

_LOOK_S = 0.2
_PRINTED_EVERY_S = 10.0

Say = Callable[[str], None]


def drain(settings: WorkerSettings, *, limit_s: float | None, say: Say) -> None:
    """Let the worker finish its tasks and stop; wait for its end. Raises WorkerNotRunning or CommandRefused."""
    holder = _running(settings)
    _signal(holder, signal.SIGUSR1)
    _wait(settings, holder, limit_s, say, "it continues; to stop it immediately, run poolworker stop")


def stop(settings: WorkerSettings, *, return_within_s: float, limit_s: float, say: Say) -> None:
    """Stop the worker now; it will be back within a time, or not if that is 0. Raises as `drain` does."""
    holder = _running(settings)
    try:
        say_return_within(settings.folder, return_within_s)
    except OSError as problem:
        raise CommandRefused(
            f"the folder {settings.folder} cannot be used: {problem.strerror}; run the command as the worker's user"
        ) from problem
    try:
        _signal(holder, signal.SIGTERM)
    except CommandRefused:
        # A later stop by another way must not promise this return.
        withdraw_return_within(settings.folder)
        raise
    _wait(settings, holder, limit_s, say, "read its log")


def _running(settings: WorkerSettings) -> Holder:
    try:
        holder = holder_of(settings.folder)
    except OSError as problem:
        raise CommandRefused(
            f"the folder {settings.folder} cannot be read: {problem.strerror}; run the command as the worker's user"
        ) from problem
    if holder is None:
        raise WorkerNotRunning(
            f"no worker runs in {settings.folder}; check IEXEC_WORKER_BASE_DIR and IEXEC_WORKER_NAME"
        )
    if not holder.pid:
        raise CommandRefused(
            "the worker that runs starts just now or is of an older version; stop it with SIGTERM"
        )
    return holder


def _signal(holder: Holder, number: signal.Signals) -> None:
    problem = "it is not a process of this host or container"
    try:
        if holder.is_here:
            return os.kill(holder.pid, number)
    except (ProcessLookupError, PermissionError) as refusal:
        problem = str(refusal.strerror)
    raise CommandRefused(
        f"the worker's process {holder.pid} cannot be reached: {problem}; run the command as its user, and in its "
        "container (docker exec) if it runs in one"
    )


def _wait(settings: WorkerSettings, holder: Holder, limit_s: float | None, say: Say, advice: str) -> None:
    """Wait until this worker has ended, although its service manager may have started the next one."""
    began = printed_at = time.monotonic()
    while holder_of(settings.folder) == holder:
        now = time.monotonic()
        if limit_s is not None and now - began > limit_s:
            raise CommandRefused(f"the worker still runs after {limit_s:g} s: {advice}")
        if now - printed_at > _PRINTED_EVERY_S:
            printed_at = now
            say(_progress(settings))
        time.sleep(_LOOK_S)


def _progress(settings: WorkerSettings) -> str:
    try:
        tasks = read_journal(settings.folder / "journal.db").tasks
    except ValueError as problem:
        return str(problem)
    held = ", ".join(f"{each.record.task_id[:10]}… {each.record.status.value}" for each in tasks)
    return f"waiting for {len(tasks)} replicates: {held}" if tasks else "waiting for the last reports"
