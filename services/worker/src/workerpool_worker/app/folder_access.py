"""Work on files that an app closed to the user of the worker: apps run as any user, workers not always as root."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from workerpool_worker.app.ports import Engine
from workerpool_worker.errors import HostStorageUnavailable

T = TypeVar("T")


async def with_access(engine: Engine, folder: Path, work: Callable[[], Awaitable[T]]) -> T:
    """Return what `work` on the files of an app returns.

    If this process may not touch some of them, the engine opens `folder` and `work` runs again. Raises
    `HostStorageUnavailable` if they stay closed, `DockerUnavailable`, and what `work` raises.
    """
    try:
        return await work()
    except PermissionError:
        await engine.open_folder(folder)
    try:
        return await work()
    except PermissionError as closed:
        raise HostStorageUnavailable(
            f"the worker's user may not touch what the app wrote ({closed}); run the worker as root"
        ) from closed
