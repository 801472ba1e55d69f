"""`poolworker clean`: remove what a stopped worker left on its host, and nothing of another wallet."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from workerpool_worker.adapters.docker.engine import DockerEngine
from workerpool_worker.adapters.docker.network.cleanup import remove_unused_networks
from workerpool_worker.adapters.docker.sandboxes import remove_idle
from workerpool_worker.adapters.files.worker_lock import take_lock
from workerpool_worker.adapters.files.workspace import DiskWorkspace
from workerpool_worker.adapters.journal_reading import HeldTask, read_journal
from workerpool_worker.cli.local_checks import docker_connection
from workerpool_worker.container_host import image_policy, lock_folder, sees_other_workers
from workerpool_worker.domain.containers.sandbox_choice import SANDBOX_LABEL
from workerpool_worker.domain.images import InvalidImageName, local_name
from workerpool_worker.errors import CommandRefused, EngineFailure
from workerpool_worker.settings import WorkerSettings

_JOURNAL_FILES = ("journal.db", "journal.db-wal", "journal.db-shm")


@dataclass(slots=True)
class Cleaned:
    """What was removed: tasks of containers, folders of tasks, replicates of the journal, and names of images."""

    containers: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    replicates: int = 0
    images: list[str] = field(default_factory=list)


async def clean(settings: WorkerSettings, wallet: str, *, force: bool) -> Cleaned:
    """Remove containers, networks and folders of a wallet, and the images that its worker pulled.

    A journal with replicates stays, with their folders, containers and images, unless `force`: the next start of the
    worker continues them. Raises CommandRefused.
    """
    folder = settings.folder
    done = Cleaned()
    if not folder.exists():
        await _clean_engine(settings, wallet, (), done)
        return done
    try:
        lock = take_lock(folder, command=True)
    except OSError as problem:
        raise CommandRefused(
            f"the folder {folder} cannot be used: {problem.strerror}; run the command as the worker's user"
        ) from problem
    if lock is None:
        raise CommandRefused("the worker runs; stop it with poolworker drain, then clean")
    with lock:
        held = await asyncio.to_thread(_held, settings, force=force)
        kept: tuple[HeldTask, ...] = () if force else held
        await _clean_engine(settings, wallet, kept, done)
        done.folders = await asyncio.to_thread(DiskWorkspace(folder).remove_others, _tasks_of(kept))
        if force:
            # Last, so that the worker can still continue if the engine fails.
            await asyncio.to_thread(_remove_journal, folder)
            done.replicates = len(held)
    return done


def _held(settings: WorkerSettings, *, force: bool) -> tuple[HeldTask, ...]:
    """Return the replicates in the journal; none of a damaged one that goes by `force`."""
    path = settings.folder / "journal.db"
    try:
        return read_journal(path).tasks
    except ValueError as problem:
        if not force:
            raise CommandRefused(
                f"{problem}; --force removes it, with all that the worker knows"
            ) from problem
        return ()


def _tasks_of(held: Iterable[HeldTask]) -> frozenset[str]:
    return frozenset(each.record.task_id for each in held)


def _images_of(held: Iterable[HeldTask]) -> frozenset[str]:
    """Return the images of replicates by the names under which the engine has them."""
    names = set()
    for each in held:
        with suppress(InvalidImageName):
            names.add(local_name(each.app))
    return frozenset(names)


def _remove_journal(folder: Path) -> None:
    for name in _JOURNAL_FILES:
        (folder / name).unlink(missing_ok=True)


async def _clean_engine(
    settings: WorkerSettings, wallet: str, kept: Iterable[HeldTask], done: Cleaned
) -> None:
    engine = DockerEngine(wallet, image_cache=image_policy(settings))
    try:
        done.containers = await engine.remove_others(_tasks_of(kept))
        # After the containers: the engine keeps an image that one uses.
        done.images = await engine.images.remove_all(_images_of(kept))
    except EngineFailure as failure:
        raise CommandRefused(
            f"the containers and images cannot be removed: {failure.message}; start Docker and run clean again"
        ) from failure
    finally:
        engine.close()
    async with docker_connection() as connection:
        try:
            label = f"{SANDBOX_LABEL}={wallet}"
            await connection.call(lambda api: remove_idle(api, {"label": label}))
            if sees_other_workers(settings):
                await remove_unused_networks(connection, lock_folder(settings), "")
        except (EngineFailure, OSError) as problem:
            raise CommandRefused(f"the networks of apps cannot be removed: {problem}") from problem
