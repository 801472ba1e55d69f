"""Containers on a Docker engine. SDK calls run in threads. The end of a container is awaited, not polled."""

import asyncio
import random
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import requests
from docker import errors
from workerpool_poco.protocol.ids import TaskId

from workerpool_worker.adapters.cgroups import kill_processes
from workerpool_worker.adapters.docker.connection import (
    CALL_LIMIT_S,
    CONFLICT,
    NOT_FOUND,
    DockerConnection,
    in_thread,
    reason_of,
    translate_errors,
)
from workerpool_worker.adapters.docker.container_config import TASK_LABEL, WORKER_LABEL, Share, host_config
from workerpool_worker.adapters.docker.disk_guard import DiskGuard
from workerpool_worker.adapters.docker.host_resources import HostResources
from workerpool_worker.adapters.docker.images.cache import CachePolicy, ImageCache, free_bytes_of
from workerpool_worker.adapters.docker.images.credentials import RegistryCredentials
from workerpool_worker.adapters.docker.images.store import MAX_IMAGE_BYTES, DockerImages, RegistryChecker
from workerpool_worker.adapters.docker.log_stream import unix_seconds
from workerpool_worker.adapters.docker.memory_kills import MemoryKills
from workerpool_worker.adapters.docker.named_containers import create_named, remove_one
from workerpool_worker.adapters.docker.network.kinds import AppNetwork, NamedNetwork
from workerpool_worker.adapters.docker.open_folder import open_folder
from workerpool_worker.adapters.docker.output import OutputFollower, copy_output
from workerpool_worker.adapters.docker.output_throttle import OutputThrottle
from workerpool_worker.adapters.docker.refusals import (
    classify_refusals,
    is_sandbox_lost,
    may_not_have_started,
    not_started_reason,
)
from workerpool_worker.adapters.shared_use import SharedUse
from workerpool_worker.app.ports import ContainerPlan, OutputSink
from workerpool_worker.domain.containers.disk import DiskLimits
from workerpool_worker.domain.containers.division import HostDivision
from workerpool_worker.domain.containers.engine_host import EngineHost
from workerpool_worker.domain.failures.app_exit import KILLED, NEVER_RAN, AppExit
from workerpool_worker.domain.output_tail import OutputStream
from workerpool_worker.errors import AppCannotStart, HostDeviceUnavailable, ImageUnavailable, SandboxLost

_CLAIMS, _CLAIM_PAUSE_S = 20, (0.05, 0.5)
"""Attempts to get a GPU that no other worker chose at the same time, and the pause between them."""


class DockerEngine:
    """Containers of one worker, identified by two labels. Implements the `Engine` port."""

    def __init__(
        self,
        worker: str,
        *,
        registries: dict[str, tuple[str, str]] | None = None,
        check_registry: RegistryChecker | None = None,
        max_image_bytes: int = MAX_IMAGE_BYTES,
        image_cache: CachePolicy = CachePolicy(),
        concurrency: int = 8,
        base_url: str | None = None,
        network: AppNetwork | None = None,
        disk: DiskLimits | None = None,
        output_rate: int = 0,
        helper_image: str = "",
    ) -> None:
        """Create an engine without connecting.

        Args:
            worker: wallet address of the worker, the value of its containers' label.
            registries: user and password by registry address.
            check_registry: checks the address of every other registry before a pull.
            max_image_bytes: most compressed bytes of an image.
            image_cache: how long the worker's own images stay.
            concurrency: number of containers watched at once; each uses two connections.
            base_url: address of the engine; None means `DOCKER_HOST` or the default socket.
            network: what apps reach; None means nothing.
            disk: disk space of one app, and of the host; None means the defaults.
            output_rate: bytes per second that one app may print after its first 32 MiB; 0 means no limit.
            helper_image: image with `chmod` where the engine's host is not this one.
        """
        self._worker = worker
        self._connection = DockerConnection(pool_size=2 * concurrency + 8, base_url=base_url)
        self._network = network or NamedNetwork("none")
        self._resources = HostResources(self._connection, HostDivision())
        self._helper_image = helper_image
        self._data_folder = Path("/var/lib/docker")
        self._disk = disk or DiskLimits()
        self._folders: dict[str, list[Path]] = {}
        """The folders of created containers, whose disks must have space at the start too."""
        self._only: dict[TaskId, str] = {}
        """The only container of a task, if this process knows that it is the only one."""
        self._guard = DiskGuard(
            self._disk, inspect=self._details, layer_bytes=self._layer_bytes, kill=self._kill
        )
        self._throttle = OutputThrottle(output_rate)
        self._memory_kills = MemoryKills(self._connection)
        images = DockerImages(
            self._connection,
            RegistryCredentials(registries or {}),
            check=check_registry,
            max_bytes=max_image_bytes,
        )
        self.images = ImageCache(self._connection, images, image_cache, free_bytes=self._free_bytes)

    async def version(self) -> str:
        """Return the engine's version. Raises `DockerUnavailable`."""
        return str((await self._connection.call(lambda api: api.version()))["Version"])

    @property
    def is_local(self) -> bool:
        """Whether the engine is reached through a socket of this host."""
        return self._connection.is_local

    async def host(self) -> EngineHost:
        """Return what the engine says about its host. Raises `DockerUnavailable`."""
        info = await self._connection.call(lambda api: api.info())
        self._data_folder = Path(info["DockerRootDir"])
        return EngineHost.of(info)

    def join(self, network: AppNetwork) -> None:
        """Let the apps of new containers join a network."""
        self._network = network

    def divide(self, division: HostDivision, gpu_use: SharedUse | None = None) -> None:
        """Divide the host among the apps of new containers; `gpu_use` lets one worker at a time choose GPUs."""
        self._resources = HostResources(self._connection, division, gpu_use)

    def close(self) -> None:
        """Close the connections to the engine."""
        self._connection.close()

    async def ensure_image(self, image: str, limit_s: float) -> None:
        """Pull an image within `limit_s` seconds unless the engine has it.

        Raises `ImageUnavailable`, `RegistryUnavailable`, `RegistryLoginRefused`, `HostNetworkUnavailable` or
        `HostStorageUnavailable`.
        """
        await self.images.ensure(image, limit_s)

    def _free_bytes(self) -> int | None:
        return free_bytes_of(self._data_folder) if self._connection.is_local else None

    # --- containers ----------------------------------------------------------

    async def find(self, task_id: TaskId) -> str | None:
        """Return the id of this worker's container for a task, running or not; None if there is none."""
        found = await self._connection.call(
            lambda api: api.containers(all=True, filters={"label": self._labels(task_id)})
        )
        return str(found[0]["Id"]) if found else None

    async def create(self, plan: ContainerPlan) -> str:
        """Create a container and return its id. A container of this worker with the same name is removed first.

        Raises `AppCannotStart`, `ImageUnavailable` if the image is not on this host, `HostStorageUnavailable` if the
        host's disk is nearly full, or `HostDeviceUnavailable`.
        """
        # An abandoned creation may still complete in the engine. After a successful one the name is taken.
        self._only.pop(plan.task_id, None)
        folders = [*plan.binds, self._data_folder]
        labels = {WORKER_LABEL: self._worker, TASK_LABEL: plan.task_id}

        def create(api: Any, network: str, share: Share) -> str:
            self._guard.check_room_now(folders)
            arguments = {
                "image": plan.image,
                "command": list(plan.command) or None,
                "environment": {**plan.environment, **share.environment},
                "host_config": host_config(api, plan, self._disk, network, share),
                "name": plan.name,
                "labels": {**labels, **share.labels},
            }
            try:
                with classify_refusals():
                    return create_named(api, self._worker, plan.name, arguments)
            except errors.ImageNotFound as missing:
                self.images.forget(plan.image)
                raise ImageUnavailable(f"the image {plan.image} is no longer on this host") from missing

        for _ in range(_CLAIMS):
            async with (
                self._resources.reserved(plan, labels) as share,
                self._network.place(plan.name) as network,
            ):
                container = await self._connection.call(partial(create, network=network, share=share))
                self._network.joined(container, network)
                if await self._resources.holds_alone(labels, share):
                    self._folders[container] = folders
                    self._only[plan.task_id] = container
                    return container
            # Two workers may both have backed off, so they retry at different times.
            await self._remove_known(container)
            await asyncio.sleep(random.uniform(*_CLAIM_PAUSE_S))
        raise HostDeviceUnavailable("other workers of this host keep taking the GPUs that this one chooses")

    async def run(self, container: str, limit_s: float, *, new: bool = False) -> AppExit:
        """Start a container unless it runs or has ended, wait for its end, kill it `limit_s` seconds after its start.

        A `new` container is started without reading its state first. Raises `AppCannotStart`, `SandboxLost`,
        `HostDeviceUnavailable`, or `HostStorageUnavailable` if the host's disk was nearly full, so that the app was
        not started or was killed.
        """
        start = None
        if new and (folders := self._folders.get(container)):
            # The files of the task, or other apps, may have filled the disk since the creation.
            start = await self._guard.check_room(folders)
        async with (
            self._network.in_use(),
            self._throttle.watched(container, self._log_file(container)),
            self._guard.watched(container, start) as watch,
        ):
            try:
                ended, details = await self._run(container, limit_s, new=new)
            except AppCannotStart:
                # The guard's kill during the start resembles a program that cannot start.
                self._guard.check_killed(watch)
                raise
            self._network.left(container)
            if excess := await self._guard.conclude(watch, details):
                return replace(ended, exit_code=KILLED, disk_excess=excess)
            return ended

    async def _run(self, container: str, limit_s: float, *, new: bool) -> tuple[AppExit, dict[str, Any]]:
        """Run a container to its end. Return the end, and the engine's last description of the container."""
        details = {"State": {"Status": "created"}} if new else await self._details(container)
        started_here = details["State"]["Status"] == "created"
        timed_out = False
        kills: int | None = None
        if started_here:
            kills = self._memory_kills.count()
            await self._start(container)
            end = time.monotonic() + limit_s  # The system clock may change meanwhile.
            await self._wait(container, limit_s)
            # Kill before the engine is queried: it may be too busy with the app's output to answer soon.
            timed_out = time.monotonic() >= end and await self._kill_processes(container)
            details = await self._details(container)
        else:
            # The engine's own clock: that of the worker may have been changed since the start.
            ran_s = await self._connection.time() - unix_seconds(details["State"]["StartedAt"])
            end = time.monotonic() + limit_s - max(ran_s, 0.0)
        while details["State"]["Status"] not in ("exited", "dead"):
            remaining = end - time.monotonic()
            if remaining <= 0:
                timed_out = True
                await self._kill(container)
                remaining = CALL_LIMIT_S
            await self._wait(container, remaining)
            details = await self._details(container)
        state = details["State"]
        run_time = max(unix_seconds(state["FinishedAt"]) - unix_seconds(state["StartedAt"]), 0.0)
        ended_late = not started_here and run_time > limit_s
        timed_out = timed_out or ended_late
        exit_code = int(state["ExitCode"])
        if may_not_have_started(exit_code, run_time) and (error := await self._start_error(container)):
            return AppExit(NEVER_RAN, 0.0, error=error), details
        ended = AppExit(
            exit_code,
            run_time,
            timed_out=timed_out,
            slowed_to=self._throttle.slowed_to(container),
            out_of_memory=bool(state["OOMKilled"])
            or (not timed_out and await self._memory_kills.happened(container, details, kills)),
        )
        return ended, details

    async def _start_error(self, container: str) -> str:
        """Return why the app's program could not be executed; empty if it ran."""
        output = await self._connection.call(lambda api: api.logs(container, tail=2))
        return not_started_reason(output)

    async def _start(self, container: str) -> None:
        def start(api: Any) -> None:
            try:
                with classify_refusals():
                    api.start(container)
            except errors.APIError as refusal:
                if is_sandbox_lost(refusal, container):
                    raise SandboxLost(f"the app cannot join its network: {reason_of(refusal)}") from refusal
                raise
            self._memory_kills.started(container)

        await self._connection.call(start)

    def _log_file(self, container: str) -> Path:
        return self._data_folder / "containers" / container / f"{container}-json.log"

    async def _kill_processes(self, container: str) -> bool:
        """Kill a container without the engine. Return False if that is not possible on this host."""
        await self._throttle.release(container)
        return await in_thread(lambda: kill_processes(container))

    async def _kill(self, container: str) -> None:
        await self._kill_processes(container)

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

    async def _details(self, container: str) -> dict[str, Any]:
        details: dict[str, Any] = await self._connection.call(lambda api: api.inspect_container(container))
        return details

    async def _layer_bytes(self, container: str) -> int:
        """Return the size of a container's writable layer. The engine reads every file of it."""
        found = await self._connection.call(
            lambda api: api.containers(all=True, size=True, filters={"id": container})
        )
        return int(found[0].get("SizeRw") or 0) if found else 0

    # --- output --------------------------------------------------------------

    async def follow_output(self, container: str, sink: OutputSink, *, from_now: bool) -> None:
        """Pass a container's output to `sink` until cancelled, from its start or only `from_now`."""
        await OutputFollower(self._connection.client, container, sink, from_now=from_now).follow()

    async def copy_logs(self, container: str, stdout: Path, stderr: Path) -> None:
        """Write the two output streams to files, block by block.

        The engine keeps at most 20 MB of them. Of a container that was paused for its output, which printed more than
        the engine keeps, only the newest 50,000 lines are copied.
        """
        targets = {OutputStream.STDOUT: stdout, OutputStream.STDERR: stderr}
        await self._connection.call(
            lambda api: copy_output(api, container, targets, only_tail=self._throttle.has_paused(container))
        )

    async def open_folder(self, folder: Path) -> None:
        """Let every user read and remove what an app wrote below a folder. Raises `HostStorageUnavailable`."""
        labels = {WORKER_LABEL: self._worker}
        await self._connection.call(lambda api: open_folder(api, folder, self._helper_image, labels))

    # --- removal -------------------------------------------------------------

    async def remove(self, task_id: TaskId) -> None:
        """Kill and remove every container of a task."""
        if container := self._only.pop(task_id, None):
            await self._remove_known(container)
        else:
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
                self._remove_one(api, str(container["Id"]))

        await self._connection.call(remove)

    async def _remove_known(self, container: str) -> None:
        await self._connection.call(lambda api: self._remove_one(api, container))
        self._network.left(container)

    def _remove_one(self, api: Any, container: str) -> None:
        self._throttle.forget(container)
        self._folders.pop(container, None)
        remove_one(api, container)

    def _labels(self, task_id: TaskId | None) -> list[str]:
        worker = f"{WORKER_LABEL}={self._worker}"
        return [worker] if task_id is None else [worker, f"{TASK_LABEL}={task_id}"]
