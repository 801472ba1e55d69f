"""Containers on a Docker engine. The SDK blocks, so calls run in threads; ends are waited for, not polled."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import docker
import requests
import structlog
from docker import errors
from docker.types import LogConfig
from urllib3.exceptions import HTTPError, ReadTimeoutError
from workerpool_poco.protocol.ids import TaskId

from workerpool_worker.adapters.docker.calls import (
    CALL_LIMIT_S,
    CONFLICT,
    NOT_FOUND,
    in_thread,
    reason_of,
    translated,
)
from workerpool_worker.adapters.docker.output import OutputFollower, copy_output, unix_time
from workerpool_worker.app.ports import AppCannotStart, ContainerPlan, Ended, OutputSink
from workerpool_worker.domain.images import registry_of
from workerpool_worker.domain.output_tail import OutputStream
from workerpool_worker.errors import DockerUnavailable, HostFull, ImageUnavailable, WorkerError

T = TypeVar("T")
log = structlog.get_logger()

WORKER_LABEL, TASK_LABEL = "workerpool.worker", "workerpool.task"

_LOG_FILE_SIZE, _LOG_FILES = "10m", "2"
_NEVER = "0001-01-01"
_CLIENT_ERROR = 400


class DockerEngine:
    """One worker's containers, known by two labels. Implements the ``Engine`` port."""

    def __init__(
        self,
        worker: str,
        *,
        registries: dict[str, tuple[str, str]] | None = None,
        concurrency: int = 8,
        base_url: str | None = None,
    ) -> None:
        """Prepare, without connecting.

        Args:
            worker: wallet of the worker, for the label of its containers.
            registries: user and password by registry address.
            concurrency: how many containers may be watched at once; each takes two connections.
            base_url: address of the engine; None takes ``DOCKER_HOST`` or the usual socket.
        """
        self._worker = worker
        self._registries = registries or {}
        self._pool = 2 * concurrency + 8
        self._base_url = base_url
        self._api: docker.APIClient | None = None
        self._pulls: dict[str, asyncio.Lock] = {}

    async def version(self) -> str:
        """Connect if need be and return the engine's version; raises DockerUnavailable."""
        return str((await self._call(lambda api: api.version()))["Version"])

    async def memory_bytes(self) -> int:
        """Return the memory of the engine's host."""
        return int((await self._call(lambda api: api.info()))["MemTotal"])

    def close(self) -> None:
        """Close the connections to the engine."""
        if self._api is not None:
            self._api.close()
            self._api = None

    # --- images --------------------------------------------------------------

    async def has_image(self, image: str) -> bool:
        """Tell whether an image is here."""

        def look(api: Any) -> bool:
            try:
                api.inspect_image(image)
            except errors.NotFound:
                return False
            return True

        return await self._call(look)

    async def ensure_image(self, image: str, limit_s: float) -> None:
        """Have an image locally, pulling it if it is missing; equal pulls run once.

        Raises ImageUnavailable when its registry does not give it, DockerUnavailable or HostFull when that is not why.
        """
        async with self._pulls.setdefault(image, asyncio.Lock()):
            if await self.has_image(image):
                return
            log.info("image.pull_started", image=image, limit_s=limit_s)
            began = time.monotonic()
            try:
                async with asyncio.timeout(limit_s):
                    await in_thread(lambda: self._pull(image, limit_s))
            except (TimeoutError, requests.exceptions.ReadTimeout, ReadTimeoutError):
                raise ImageUnavailable(f"the image {image} did not arrive within {limit_s:.0f} s") from None
            except errors.APIError as refusal:
                raise _pull_refused(image, reason_of(refusal)) from refusal
            except (errors.DockerException, requests.exceptions.RequestException, HTTPError) as outage:
                raise DockerUnavailable(f"the Docker engine ended the pull of {image}: {outage}") from outage
            if not await self.has_image(image):
                raise DockerUnavailable(f"the Docker engine ended the pull of {image} before it was complete")
            log.info("image.pulled", image=image, duration_s=round(time.monotonic() - began, 1))

    def _pull(self, image: str, limit_s: float) -> None:
        credentials = self._registries.get(registry_of(image))
        api = self._connect(timeout=limit_s)
        try:
            began = time.monotonic()
            auth = {"username": credentials[0], "password": credentials[1]} if credentials else None
            for progress in api.pull(image, stream=True, decode=True, auth_config=auth):
                if "error" in progress:
                    raise _pull_refused(image, str(progress["error"]))
                if time.monotonic() - began > limit_s:
                    return  # nobody waits any more; without a reader the engine gives up the pull
        finally:
            api.close()

    # --- containers ----------------------------------------------------------

    async def find(self, task_id: TaskId) -> str | None:
        """Return the id of this worker's container for a task, running or not; None when there is none."""
        found = await self._call(
            lambda api: api.containers(all=True, filters={"label": self._labels(task_id)})
        )
        return str(found[0]["Id"]) if found else None

    async def create(self, plan: ContainerPlan) -> str:
        """Create a container and return its id; one of the same name makes way.

        Raises AppCannotStart, or ImageUnavailable when the image is not here.
        """

        def create(api: Any) -> str:
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
            arguments: dict[str, Any] = {
                "image": plan.image,
                "command": list(plan.command) or None,
                "environment": dict(plan.environment),
                "host_config": config,
                "name": plan.name,
                "labels": {WORKER_LABEL: self._worker, TASK_LABEL: plan.task_id},
            }
            try:
                return self._created(api, plan.name, arguments)
            except errors.ImageNotFound as missing:
                raise ImageUnavailable(f"the image {plan.image} is gone from this host") from missing
            except errors.APIError as refusal:
                if _is_app_problem(refusal):
                    raise AppCannotStart(reason_of(refusal)) from refusal
                raise

        return await self._call(create)

    def _created(self, api: Any, name: str, arguments: dict[str, Any]) -> str:
        try:
            return str(api.create_container(**arguments)["Id"])
        except errors.APIError as refusal:
            if refusal.status_code != CONFLICT:
                raise
        with suppress(errors.NotFound):
            labels = api.inspect_container(name)["Config"]["Labels"] or {}
            if labels.get(WORKER_LABEL) != self._worker:
                # Another worker of the same name, on the same task: his container is not ours to remove.
                return self._created(api, *_renamed(arguments, self._worker))
            api.remove_container(name, force=True, v=True)
        return str(api.create_container(**arguments)["Id"])

    async def run(self, container: str, limit_s: float, *, new: bool = False) -> Ended:
        """Start the container unless it runs or has ended, wait for its end, kill it ``limit_s`` after its start.

        A ``new`` one, just created, is started without a look at it first.
        """
        state = {"Status": "created"} if new else await self._state(container)
        started_here = state["Status"] == "created"
        if started_here:
            await self._start(container)
            end = time.monotonic() + limit_s  # the machine's clock may be set meanwhile
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
        return Ended(int(state["ExitCode"]), run_time, timed_out=timed_out or ended_late)

    async def _start(self, container: str) -> None:
        def start(api: Any) -> None:
            try:
                api.start(container)
            except errors.APIError as refusal:
                if _is_app_problem(refusal) or "OCI runtime create failed" in str(refusal):
                    raise AppCannotStart(reason_of(refusal)) from refusal
                raise

        await self._call(start)

    async def _kill(self, container: str) -> None:
        def kill(api: Any) -> None:
            try:
                api.kill(container)
            except errors.APIError as refusal:
                if refusal.status_code not in (NOT_FOUND, CONFLICT):  # it has just ended by itself
                    raise

        await self._call(kill)

    async def _wait(self, container: str, limit_s: float) -> None:
        """Return when the container has ended or ``limit_s`` seconds have passed."""

        def wait() -> None:
            try:
                self._client().wait(container, timeout=max(limit_s, 0.1))
            except requests.exceptions.ConnectionError as ended:
                # The SDK reports the read time limit in two ways; only a lost engine is a problem.
                if "timed out" not in str(ended).lower():
                    raise
            except requests.exceptions.ReadTimeout:
                pass

        await translated(in_thread(wait))

    async def _state(self, container: str) -> dict[str, Any]:
        details = await self._call(lambda api: api.inspect_container(container))
        state: dict[str, Any] = details["State"]
        return state

    async def follow_output(self, container: str, sink: OutputSink, *, from_now: bool) -> None:
        """Hand over what a container prints until cancelled; of what comes faster than it is read, the newest."""
        await OutputFollower(self._client, container, sink, from_now=from_now).follow()

    async def copy_logs(self, container: str, stdout: Path, stderr: Path) -> None:
        """Write the two output streams to files, block by block; the engine keeps at most 20 MB of them."""

        targets = {OutputStream.STDOUT: stdout, OutputStream.STDERR: stderr}
        await self._call(lambda api: copy_output(api, container, targets))

    async def remove(self, task_id: TaskId) -> None:
        """Kill and remove every container of a task."""
        await self._remove(self._labels(task_id))

    async def remove_others(self, kept: frozenset[str]) -> list[str]:
        """Remove this worker's containers of all tasks but the kept ones, and name those tasks."""
        found = await self._call(lambda api: api.containers(all=True, filters={"label": self._labels(None)}))
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
                    if refusal.status_code != CONFLICT:  # somebody else is removing it
                        raise

        await self._call(remove)

    def _labels(self, task_id: TaskId | None) -> list[str]:
        worker = f"{WORKER_LABEL}={self._worker}"
        return [worker] if task_id is None else [worker, f"{TASK_LABEL}={task_id}"]

    # --- calls ---------------------------------------------------------------

    def _client(self) -> Any:
        if self._api is None:
            self._api = self._connect(timeout=CALL_LIMIT_S)
        return self._api

    def _connect(self, timeout: float) -> Any:
        options: dict[str, Any] = {"timeout": timeout, "version": "auto", "max_pool_size": self._pool}
        if self._base_url is not None:
            options["base_url"] = self._base_url
        else:
            options |= docker.utils.kwargs_from_env()
        return docker.APIClient(**options)

    async def _call(self, work: Callable[[Any], T]) -> T:
        """Run a call that ends soon. A cancellation waits for it, so that nothing appears after a clean-up."""
        call = asyncio.ensure_future(in_thread(lambda: work(self._client())))
        try:
            return await translated(asyncio.shield(call))
        except asyncio.CancelledError:
            await asyncio.wait({call}, timeout=CALL_LIMIT_S)
            if call.done() and not call.cancelled():
                call.exception()
            raise


def _timestamp(text: str) -> float:
    """Return Unix seconds of an engine time such as ``2024-05-01T10:00:00.123456789Z``."""
    if text.startswith(_NEVER):
        return time.time()
    return float(unix_time(text))


def _pull_refused(image: str, reason: str) -> WorkerError:
    text = f"the image {image} cannot be pulled: {reason}"
    return HostFull(text) if "no space left on device" in reason else ImageUnavailable(text)


def _renamed(arguments: dict[str, Any], worker: str) -> tuple[str, dict[str, Any]]:
    name = f"{arguments['name']}-{worker[2:]}"
    return name, arguments | {"name": name}


def _is_app_problem(refusal: errors.APIError) -> bool:
    """Tell whether the engine blames the app's image or command, not itself."""
    text = str(refusal.explanation or refusal).lower()
    return (
        refusal.status_code == _CLIENT_ERROR
        or "executable file not found" in text
        or "no such file or dir" in text
    )
