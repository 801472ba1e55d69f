"""Checks whether the engine can start apps again, with a container whose program does not exist.

Its image has no content, because a requester's image can require a driver that no host has.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from docker import errors
from docker.types import DeviceRequest

from workerpool_worker.adapters.docker.connection import DockerConnection
from workerpool_worker.adapters.docker.container_config import TASK_LABEL, WORKER_LABEL
from workerpool_worker.adapters.docker.refusals import classify_refusals
from workerpool_worker.adapters.docker.sandboxes import ensure_empty_image
from workerpool_worker.errors import AppCannotStart, RuntimeUnavailable

_PROGRAM = "/.workerpool-trial"
_MEMORY_BYTES, _PIDS = 64 << 20, 16


class RuntimeTrial:
    """Tries the runtime and the GPUs that the apps of one worker get."""

    def __init__(
        self, connection: DockerConnection, runtime: str, gpus: Sequence[str], *, worker: str
    ) -> None:
        """Store the arguments; nothing is opened or changed yet.

        Args:
            connection: connection to the engine, closed by the caller.
            runtime: the runtime of apps; empty for the engine's default.
            gpus: the GPUs of apps.
            worker: wallet address, so that the next start removes the container if this process is killed meanwhile.
        """
        self._connection, self._runtime, self._gpus = connection, runtime, tuple(gpus)
        self._labels = {WORKER_LABEL: worker, TASK_LABEL: ""}

    async def __call__(self, gpus: int) -> str:
        """Return why no container starts with a number of GPUs; empty if one does.

        Raises `DockerUnavailable` or `EngineRefused`.
        """
        return await self._connection.call(lambda api: self._try(api, gpus))

    def _try(self, api: Any, gpus: int) -> str:
        try:
            with classify_refusals():
                self._start(api, gpus)
        except AppCannotStart:
            return ""
        except RuntimeUnavailable as lost:
            return lost.message
        return ""

    def _start(self, api: Any, gpus: int) -> None:
        container = self._create(api, gpus)
        try:
            api.start(container)
        finally:
            with suppress(errors.NotFound):
                api.remove_container(container, force=True, v=True)

    def _create(self, api: Any, gpus: int) -> str:
        request = DeviceRequest(device_ids=list(self._gpus[:gpus]), capabilities=[["gpu"]])
        return str(
            api.create_container(
                ensure_empty_image(api),
                entrypoint=[_PROGRAM],
                labels=self._labels,
                host_config=api.create_host_config(
                    runtime=self._runtime or None,
                    device_requests=[request] if gpus else None,
                    network_mode="none",
                    mem_limit=_MEMORY_BYTES,
                    memswap_limit=_MEMORY_BYTES,
                    pids_limit=_PIDS,
                    cap_drop=["ALL"],
                    security_opt=["no-new-privileges"],
                ),
            )["Id"]
        )
