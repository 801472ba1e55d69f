"""Containers on a Docker engine. SDK calls run in threads; the end of a container is awaited, not polled."""

import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import requests
from docker import errors
from docker.types import LogConfig
from workerpool_poco.protocol.ids import TaskId

from workerpool_worker.adapters.docker.connection import (
    CALL_LIMIT_S,
    CONFLICT,
    NOT_FOUND,
    DockerConnection,
    in_thread,
    reason_of,
    translate_errors,
)
from workerpool_worker.adapters.docker.images import DockerImages
from workerpool_worker.adapters.docker.log_stream import unix_time
from workerpool_worker.adapters.docker.output import OutputFollower, copy_output
from workerpool_worker.app.ports import AppExit, ContainerPlan, OutputSink
from workerpool_worker.domain.output_tail import OutputStream
from workerpool_worker.errors import AppCannotStart, ImageUnavailable

WORKER_LABEL, TASK_LABEL = "workerpool.worker", "workerpool.task"

_LOG_FILE_SIZE, _LOG_FILES = "10m", "2"
_NEVER_PREFIX = "0001-01-01"
_CLIENT_ERROR = 400


class DockerEngine:
    """Containers of one worker, identified by two labels. Implements the `Engine` port."""

    def __init__(
        self,
        worker: str,
        *,
        registries: dict[str, tuple[str, str]] | None = None,
        concurrency: int = 8,
        base_url: str | None = None,
    ) -> None:
        """Create an engine without connecting.

        Args:
            worker: wallet address of the worker, the value of its containers' label.
            registries: user and password by registry address.
            concurrency: number of containers watched at once; each uses two connections.
            base_url: address of the engine; None means `DOCKER_HOST` or the default socket.
        """
        self._worker = worker
        self._connection = DockerConnection(pool_size=2 * concurrency + 8, base_url=base_url)
        self._images = DockerImages(self._connection, registries or {})

    async def version(self) -> str:
        """Return the engine's version. Raises `DockerUnavailable`."""
        return str((await self._connection.call(lambda api: api.version()))["Version"])

    async def memory_bytes(self) -> int:
        """Return the memory of the engine's host in bytes."""
        return int((await self._connection.call(lambda api: api.info()))["MemTotal"])

    def close(self) -> None:
        """Close the connections to the engine."""
        self._connection.close()

    async def ensure_image(self, image: str, limit_s: float) -> None:
        """Pull an image within `limit_s` seconds unless the engine has it.

        Raises `ImageUnavailable` or `HostStorageUnavailable`.
        """
        await self._images.ensure(image, limit_s)

    # --- containers ----------------------------------------------------------

    async def find(self, task_id: TaskId) -> str | None:
        """Return the id of this worker's container for a task, running or not; None if there is none."""
        found = await self._connection.call(
            lambda api: api.containers(all=True, filters={"label": self._labels(task_id)})
        )
        return str(found[0]["Id"]) if found else None

    async def create(self, plan: ContainerPlan) -> str:
        """Create a container and return its id. A container of this worker with the same name is removed first.

        Raises `AppCannotStart`, or `ImageUnavailable` if the image is not on this host.
        """

        def create(api: Any) -> str:
            try:
                return self._create(api, plan.name, self._arguments(api, plan))
            except errors.ImageNotFound as missing:
                raise ImageUnavailable(f"the image {plan.image} is no longer on this host") from missing
            except errors.APIError as refusal:
                if _is_app_defect(refusal):
                    raise AppCannotStart(reason_of(refusal)) from refusal
                raise

        return await self._connection.call(create)

    def _arguments(self, api: Any, plan: ContainerPlan) -> dict[str, Any]:
        config = api.create_host_config(
            binds={
                str(path): {"bind": inside, "mode": "ro" if read_only else "rw"}
                for path, (inside, read_only) in plan.binds.items()
            },
            mem_limit=plan.limits.memory_bytes,
            memswap_limit=plan.limits.memory_bytes,
            nano_cpus=int(plan.limits.cpus * 1e9),
            pids_limit=plan.limits.pids,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            log_config=LogConfig(
                type=LogConfig.types.JSON, config={"max-size": _LOG_FILE_SIZE, "max-file": _LOG_FILES}
            ),
        )
        return {
            "image": plan.image,
            "command": list(plan.command) or None,
            "environment": dict(plan.environment),
            "host_config": config,
            "name": plan.name,
            "labels": {WORKER_LABEL: self._worker, TASK_LABEL: plan.task_id},
        }

    def _create(self, api: Any, name: str, arguments: dict[str, Any]) -> str:
        try:
            return str(api.create_container(**arguments)["Id"])
        except errors.APIError as refusal:
            if refusal.status_code != CONFLICT:
                raise
        with suppress(errors.NotFound):
            labels = api.inspect_container(name)["Config"]["Labels"] or {}
            if labels.get(WORKER_LABEL) != self._worker:
                # Another worker with the same name runs the same task. Its container must not be removed.
                return self._create(api, *_renamed(arguments, self._worker))
            api.remove_container(name, force=True, v=True)
        return str(api.create_container(**arguments)["Id"])

    async def run(self, container: str, limit_s: float, *, new: bool = False) -> AppExit:
        """Start a container unless it runs or has ended, wait for its end, kill it `limit_s` seconds after its start.

        A `new` container is started without reading its state first. Raises `AppCannotStart`.
        """
        state = {"Status": "created"} if new else await self._state(container)
        started_here = state["Status"] == "created"
        if started_here:
            await self._start(container)
            end = time.monotonic() + limit_s  # The system clock may change meanwhile.
            await self._wait(container, limit_s)
            state = await self._state(container)
        else:
            end = time.monotonic() + limit_s - (time.time() - _timestamp(state["StartedAt"]))
        timed_out = False
        while state["Status"] not in ("exited", "dead"):
            remaining = end - time.monotonic()
            if remaining <= 0:
                timed_out = True
                await self._kill(container)
                remaining = CALL_LIMIT_S
            await self._wait(container, remaining)
            state = await self._state(container)
        run_time = max(_timestamp(state["FinishedAt"]) - _timestamp(state["StartedAt"]), 0.0)
        ended_late = not started_here and run_time > limit_s
        return AppExit(int(state["ExitCode"]), run_time, timed_out=timed_out or ended_late)

    async def _start(self, container: str) -> None:
        def start(api: Any) -> None:
            try:
                api.start(container)
            except errors.APIError as refusal:
                if _is_app_defect(refusal) or "OCI runtime create failed" in str(refusal):
                    raise AppCannotStart(reason_of(refusal)) from refusal
                raise

        await self._connection.call(start)

    async def _kill(self, container: str) -> None:
        def kill(api: Any) -> None:
            try:
                api.kill(container)
            except errors.APIError as refusal:
                # Both codes mean that the container has ended in the meantime.
                if refusal.status_code not in (NOT_FOUND, CONFLICT):
                    raise

        await self._connection.call(kill)

    async def _wait(self, container: str, limit_s: float) -> None:
        """Wait until the container has ended, at most `limit_s` seconds."""

        def wait() -> None:
            try:
                self._connection.client().wait(container, timeout=max(limit_s, 0.1))
            except requests.exceptions.ConnectionError as ended:
                # The SDK reports its read timeout as one of two exceptions.
                if "timed out" not in str(ended).lower():
                    raise
            except requests.exceptions.ReadTimeout:
                pass

        await translate_errors(in_thread(wait))

    async def _state(self, container: str) -> dict[str, Any]:
        details = await self._connection.call(lambda api: api.inspect_container(container))
        state: dict[str, Any] = details["State"]
        return state

    # --- output --------------------------------------------------------------

    async def follow_output(self, container: str, sink: OutputSink, *, from_now: bool) -> None:
        """Pass a container's output to `sink` until cancelled, from its start or only `from_now`."""
        await OutputFollower(self._connection.client, container, sink, from_now=from_now).follow()

    async def copy_logs(self, container: str, stdout: Path, stderr: Path) -> None:
        """Write the two output streams to files, block by block. The engine keeps at most 20 MB of them."""
        targets = {OutputStream.STDOUT: stdout, OutputStream.STDERR: stderr}
        await self._connection.call(lambda api: copy_output(api, container, targets))

    # --- removal -------------------------------------------------------------

    async def remove(self, task_id: TaskId) -> None:
        """Kill and remove every container of a task."""
        await self._remove(self._labels(task_id))

    async def remove_others(self, kept: frozenset[str]) -> list[str]:
        """Remove this worker's containers of all tasks except `kept`, and return the tasks of the removed ones."""
        found = await self._connection.call(
            lambda api: api.containers(all=True, filters={"label": self._labels(None)})
        )
        others = sorted({container["Labels"].get(TASK_LABEL, "") for container in found} - kept)
        for task_id in others:
            await self._remove(self._labels(task_id))
        return others

    async def _remove(self, labels: list[str]) -> None:
        def remove(api: Any) -> None:
            for container in api.containers(all=True, filters={"label": labels}):
                try:
                    api.remove_container(container["Id"], force=True, v=True)
                except errors.NotFound:
                    pass
                except errors.APIError as refusal:
                    # CONFLICT means that another call is removing the container.
                    if refusal.status_code != CONFLICT:
                        raise

        await self._connection.call(remove)

    def _labels(self, task_id: TaskId | None) -> list[str]:
        worker = f"{WORKER_LABEL}={self._worker}"
        return [worker] if task_id is None else [worker, f"{TASK_LABEL}={task_id}"]


def _timestamp(text: str) -> float:
    """Return an engine timestamp such as `2024-05-01T10:00:00.123456789Z` as Unix seconds; now if it is unset."""
    if text.startswith(_NEVER_PREFIX):
        return time.time()
    return float(unix_time(text))


def _renamed(arguments: dict[str, Any], worker: str) -> tuple[str, dict[str, Any]]:
    name = f"{arguments['name']}-{worker[2:]}"
    return name, arguments | {"name": name}


def _is_app_defect(refusal: errors.APIError) -> bool:
    """Tell whether the engine refuses because of the app's image or command."""
    text = str(refusal.explanation or refusal).lower()
    return (
        refusal.status_code == _CLIENT_ERROR
        or "executable file not found" in text
        or "no such file or dir" in text
    )
