"""Creation and removal of containers by name and id. Everything blocks and raises the SDK's exceptions."""

from contextlib import suppress
from typing import Any

from docker import errors

from workerpool_worker.adapters.cgroups import kill_processes
from workerpool_worker.adapters.docker.connection import CONFLICT
from workerpool_worker.adapters.docker.container_config import WORKER_LABEL


def create_named(api: Any, worker: str, name: str, arguments: dict[str, Any]) -> str:
    """Create a container of a worker and return its id. One of this worker with the same name is removed first."""
    try:
        return str(api.create_container(**arguments)["Id"])
    except errors.APIError as refusal:
        if refusal.status_code != CONFLICT:
            raise
    with suppress(errors.NotFound):
        labels = api.inspect_container(name)["Config"]["Labels"] or {}
        if labels.get(WORKER_LABEL) != worker:
            # Another worker with the same name runs the same task. Its container must not be removed.
            other_name = f"{name}-{worker[2:]}"
            return create_named(api, worker, other_name, arguments | {"name": other_name})
        api.remove_container(name, force=True, v=True)
    return str(api.create_container(**arguments)["Id"])


def remove_one(api: Any, container: str) -> None:
    """Kill and remove a container, by its id."""
    kill_processes(container)
    try:
        api.remove_container(container, force=True, v=True)
    except errors.NotFound:
        pass
    except errors.APIError as refusal:
        # CONFLICT means that another call is removing the container.
        if refusal.status_code != CONFLICT:
            raise
