"""Resources that apps hold exclusively: processors and GPUs. Labels of running containers record which are taken.

So nothing needs to be released: a container that ended or was removed, even after a crash of the worker, holds nothing.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from workerpool_worker.adapters.docker.connection import DockerConnection
from workerpool_worker.adapters.docker.container_config import WORKER_LABEL, Share
from workerpool_worker.adapters.shared_use import SharedUse
from workerpool_worker.app.ports import ContainerPlan
from workerpool_worker.domain.containers.division import HostDivision
from workerpool_worker.domain.containers.sandbox_choice import ENDED
from workerpool_worker.errors import HostDeviceUnavailable

GPU_LABEL, PROCESSOR_LABEL = "workerpool.gpus", "workerpool.processors"
_PATIENCE_S, _PERIOD_S = 60.0, 0.2
"""Seconds to wait for resources: an aborted app holds its own until it is killed."""
_VISIBLE_GPUS, _NO_GPUS = "NVIDIA_VISIBLE_DEVICES", "void"
"""Images set this variable to `all`; where the engine's default runtime is NVIDIA's, every app would get every GPU."""


class HostResources:
    """Gives each container its share of the host."""

    def __init__(
        self, connection: DockerConnection, division: HostDivision, gpu_use: SharedUse | None = None
    ) -> None:
        """Store the arguments; nothing is opened or changed yet.

        Args:
            connection: connection to the engine, closed by the caller.
            division: the resources to assign.
            gpu_use: a lock under which the workers of this host that share it choose GPUs; workers of other users
                detect conflicts with `holds_alone`.
        """
        self._division = division
        self._processors = _Pool(connection, PROCESSOR_LABEL, division.processors)
        self._gpus = _Pool(connection, GPU_LABEL, division.gpus, gpu_use)

    @asynccontextmanager
    async def reserved(self, plan: ContainerPlan, labels: Mapping[str, str]) -> AsyncIterator[Share]:
        """Reserve the share of a container while the block creates it with `labels` and those of the share.

        Raises `HostDeviceUnavailable` if too little is free for a minute, or `DockerUnavailable`.
        """
        division = self._division
        processors = math.ceil(plan.limits.cpus) if division.processors else 0
        own = {WORKER_LABEL: labels[WORKER_LABEL]}
        async with AsyncExitStack() as held:
            cpus = await held.enter_async_context(self._processors.lease(processors, labels, among=own))
            gpus = await held.enter_async_context(self._gpus.lease(plan.gpus, labels))
            marks = {PROCESSOR_LABEL: " ".join(cpus), GPU_LABEL: " ".join(gpus)}
            yield Share(
                runtime=division.runtime,
                processors=cpus,
                gpus=gpus,
                labels={label: names for label, names in marks.items() if names},
                environment={_VISIBLE_GPUS: ",".join(gpus) or _NO_GPUS} if division.gpus else {},
                resolv_conf=division.resolv_conf,
            )

    async def holds_alone(self, labels: Mapping[str, str], share: Share) -> bool:
        """Return whether no other container has a GPU of the one that was created with `labels`.

        The labels of both are visible by then, so at least one of two workers that chose concurrently sees the other,
        whatever user each runs as. Raises `DockerUnavailable`.
        """
        return not share.gpus or not await self._gpus.is_shared(labels, share.gpus)


class _Pool:
    """Resources of one kind that containers hold exclusively, named in their labels."""

    def __init__(
        self,
        connection: DockerConnection,
        label: str,
        names: Sequence[str],
        use: SharedUse | None = None,
    ) -> None:
        self._connection, self._label, self._names, self._use = connection, label, names, use
        self._choosing = asyncio.Lock()
        self._chosen: set[str] = set()
        """Names chosen for containers that are being created, whose labels are not visible yet."""

    @asynccontextmanager
    async def lease(
        self, count: int, labels: Mapping[str, str], *, among: Mapping[str, str] | None = None
    ) -> AsyncIterator[tuple[str, ...]]:
        """Choose `count` free names for a container with `labels`, which replaces one with equal labels.

        Only containers whose labels include `among` hold names.
        """
        if not count:
            yield ()
            return
        end = time.monotonic() + _PATIENCE_S
        while True:
            async with AsyncExitStack() as held:
                if self._use is not None:
                    await held.enter_async_context(self._use.changing())
                if names := await self._choose(count, labels, among or {}):
                    try:
                        yield names
                    finally:
                        self._chosen.difference_update(names)
                    return
            if count > len(self._names) or time.monotonic() >= end:
                raise HostDeviceUnavailable(
                    f"the app needs {count} of {self._label.removeprefix('workerpool.')} "
                    f"{', '.join(self._names) or '(none)'} for itself, and other apps of this host hold them"
                )
            await asyncio.sleep(_PERIOD_S)

    async def is_shared(self, labels: Mapping[str, str], names: Sequence[str]) -> bool:
        """Return whether a container other than that with `labels` holds one of the names."""
        return not set(names).isdisjoint(await self._held_by_others(labels, {}))

    async def _held_by_others(self, labels: Mapping[str, str], among: Mapping[str, str]) -> set[str]:
        held = set[str]()
        for container in await self._containers():
            found = container["Labels"]
            is_other = not labels.items() <= found.items()
            if container["State"] not in ENDED and is_other and among.items() <= found.items():
                held.update(found[self._label].split())
        return held

    async def _containers(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self._connection.call(
            lambda api: api.containers(all=True, filters={"label": self._label})
        )
        return found

    async def _choose(
        self, count: int, labels: Mapping[str, str], among: Mapping[str, str]
    ) -> tuple[str, ...]:
        """Reserve free names and return them; empty if there are too few."""
        async with self._choosing:
            # A copy: the engine's list may lack a container that is created meanwhile.
            chosen = set(self._chosen)
            taken = chosen | await self._held_by_others(labels, among)
            free = [name for name in self._names if name not in taken][:count]
            if len(free) < count:
                return ()
            self._chosen.update(free)
            return tuple(free)
