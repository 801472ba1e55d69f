"""Checks whether the engine sees the files of this process under the same paths, without running a container."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from docker import errors
from docker.types import Mount

from workerpool_worker.adapters.docker.connection import DockerConnection, reason_of
from workerpool_worker.adapters.docker.container_config import TASK_LABEL, WORKER_LABEL
from workerpool_worker.adapters.docker.sandboxes import ensure_empty_image

_NO_SOURCE = "bind source path does not exist"


async def sees_folder(connection: DockerConnection, folder: Path, worker: str) -> bool:
    """Return whether the engine's host sees the files of a folder, by a new one that is removed again.

    The container of the check has the labels of the wallet `worker`, so that the next start removes it if this process
    is killed meanwhile. Raises OSError if the folder cannot be written, and what `sees_file` raises.
    """
    with new_file(folder) as marker:
        return await sees_file(connection, marker, labels={WORKER_LABEL: worker, TASK_LABEL: ""})


@contextmanager
def new_file(folder: Path) -> Iterator[Path]:
    """Yield a new file in a folder, which is removed again. Raises OSError."""
    handle, name = tempfile.mkstemp(prefix=".poolworker-check-", dir=folder)
    try:
        os.close(handle)
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


async def sees_file(
    connection: DockerConnection, path: Path, *, labels: Mapping[str, str] | None = None
) -> bool:
    """Return whether the engine's host has a file at the absolute path `path`.

    A container with `labels` that binds it is created and removed; the engine refuses a source that it does not see.
    Raises `DockerUnavailable`, or `EngineRefused` for another refusal.
    """

    def create(api: Any) -> bool:
        image = ensure_empty_image(api)
        mount = Mount("/seen", str(path), type="bind", read_only=True)
        try:
            container = api.create_container(
                image,
                command=["/seen"],
                labels=dict(labels or {}),
                host_config=api.create_host_config(mounts=[mount]),
            )["Id"]
        except errors.APIError as refusal:
            if _NO_SOURCE in reason_of(refusal):
                return False
            raise
        with suppress(errors.NotFound):
            api.remove_container(container, force=True)
        return True

    return await connection.call(create)
