"""Idle containers that own the network namespaces which apps join, one for each app that runs at a time.

The engine does its slow and fragile network work once for each sandbox instead of for each task: Docker 20.10 can
deadlock when containers start and end in parallel on its networks.
"""

import asyncio
import io
import os
import shutil
import tarfile
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from docker import errors
from docker.types import LogConfig
from workerpool_kit.logs import get_logger

from workerpool_worker.adapters.cgroups import CGROUPS, has_group
from workerpool_worker.adapters.docker.connection import DockerConnection
from workerpool_worker.domain.containers.sandbox_choice import (
    JOINED,
    SANDBOX_LABEL,
    choose_sandbox,
    joined_of,
)
from workerpool_worker.errors import DockerUnavailable

log = get_logger()

_EMPTY_IMAGE, _TAG = "workerpool-sandbox", "1"
_HOST_FOLDERS = ("/bin", "/lib", "/lib64", "/usr")
_MEMORY_BYTES, _PIDS = 32 << 20, 16
_FREE_LIMIT_S, _POLL_S = 10.0, 0.05
"""Longest wait for the engine to remove the container that joins a sandbox, and the poll period, in seconds."""


class Sandboxes:
    """The sandboxes of one worker in one network."""

    def __init__(
        self,
        connection: DockerConnection,
        worker: str,
        network: str,
        image: str,
        *,
        groups: Path = CGROUPS,
    ) -> None:
        """Store the arguments; nothing is opened or changed yet.

        Args:
            connection: connection to the engine, closed by the caller.
            worker: wallet address of the worker, the value of the sandboxes' label.
            network: name of the network.
            image: image with a shell; empty for the empty image, which runs `sleep` of the engine's host.
            groups: where the control groups of this host are mounted.
        """
        self._groups = groups
        self._connection, self._worker, self._network, self._image = connection, worker, network, image
        self._choosing = asyncio.Lock()
        self._reserved: set[str] = set()
        self._tenants: dict[str, str] = {}
        """The last container that joined each sandbox, if this process created it and has not seen its end."""
        self._idle: set[str] = set()
        """Sandboxes whose containers this process has seen end, which saves a query of the engine."""

    @asynccontextmanager
    async def reserved(self, name: str = "") -> AsyncIterator[str]:
        """Reserve a free sandbox while the block creates the container that joins it; yield its network mode.

        The sandbox of an earlier container with the `name` of the new one is free: the new one replaces it. Raises
        `DockerUnavailable`.
        """
        async with self._choosing:
            known = self._known_idle()
            sandbox = known if known is not None else await self._found_or_made(name)
            self._idle.discard(sandbox)
            self._tenants.pop(sandbox, None)
            self._reserved.add(sandbox)
        try:
            yield f"{JOINED}{sandbox}"
        finally:
            self._reserved.discard(sandbox)

    def joined(self, container: str, mode: str) -> None:
        """Record a new container with a network mode that `reserved` yielded. Call it inside `reserved`."""
        self._tenants[mode.removeprefix(JOINED)] = container

    def left(self, container: str) -> None:
        """Record that a container has ended or was removed. Its sandbox is free, unless another has joined it since."""
        for sandbox, tenant in list(self._tenants.items()):
            if tenant == container:
                del self._tenants[sandbox]
                self._idle.add(sandbox)

    def _known_idle(self) -> str | None:
        """Return a free, running sandbox that this process knows without querying the engine."""
        while self._idle:
            sandbox = self._idle.pop()
            # A restart of the engine ends them. Query the engine where no control group is visible.
            if has_group(sandbox, self._groups):
                return sandbox
        return None

    async def remove_idle(self) -> None:
        """Remove the sandboxes that no app uses. Raises `DockerUnavailable`."""
        self._idle.clear()
        await self._connection.call(
            lambda api: remove_idle(api, {"label": f"{SANDBOX_LABEL}={self._worker}"})
        )

    async def _found_or_made(self, name: str) -> str:
        """Return a free sandbox from the engine's list, or a new one; wait for one that is about to be free."""
        end = time.monotonic() + _FREE_LIMIT_S
        while True:
            # A copy: the engine's list may lack a container that is created meanwhile.
            may_wait = time.monotonic() < end
            find = partial(self._find, name, frozenset(self._reserved), may_wait)
            if sandbox := await self._connection.call(find):
                return sandbox
            await asyncio.sleep(_POLL_S)

    def _find(self, name: str, reserved: Collection[str], may_wait: bool, api: Any) -> str:
        """Return a free sandbox, or nothing if one will be free soon and the caller may wait. Blocks."""
        others = [each for each in api.containers(all=True) if f"/{name}" not in (each["Names"] or ())]
        choice = choose_sandbox(others, self._worker, self._network, reserved)
        for sandbox in choice.unusable:
            with suppress(errors.NotFound):
                api.remove_container(sandbox, force=True)
        if choice.free or (choice.free_soon and may_wait):
            return choice.free
        try:
            return self._create(api)
        except errors.APIError as refusal:
            raise DockerUnavailable(
                f"no sandbox for the network of an app can be created: {refusal}"
            ) from refusal

    def _create(self, api: Any) -> str:
        image, command, binds = self._image, ["sh", "-c", "while sleep 3600; do :; done"], list[str]()
        if not image:
            image = ensure_empty_image(api)
            sleep, binds = host_program("sleep")
            command = [sleep, "infinity"]
        sandbox = api.create_container(
            image,
            entrypoint=command,
            hostname="app",
            labels={SANDBOX_LABEL: self._worker},
            host_config=api.create_host_config(
                network_mode=self._network,
                binds=binds,
                read_only=True,
                mem_limit=_MEMORY_BYTES,
                memswap_limit=_MEMORY_BYTES,
                pids_limit=_PIDS,
                cap_drop=["ALL"],
                security_opt=["no-new-privileges"],
                log_config=LogConfig(type="none"),
            ),
        )["Id"]
        try:
            api.start(sandbox)
        except BaseException:
            # Whatever ended the start, leave no untracked container.
            with suppress(errors.APIError):
                api.remove_container(sandbox, force=True)
            raise
        log.info("sandbox.created", sandbox=sandbox[:12], network=self._network)
        return str(sandbox)


def remove_idle(api: Any, filters: dict[str, str]) -> None:
    """Remove the unused sandboxes that match a filter. Blocks."""
    used = joined_of(api.containers(all=True))
    for container in api.containers(all=True, filters=filters):
        if SANDBOX_LABEL in container["Labels"] and container["Id"] not in used:
            with suppress(errors.NotFound):
                api.remove_container(container["Id"], force=True)


def host_program(name: str) -> tuple[str, list[str]]:
    """Return the path of a program of this host, and the binds with which an empty container can run it."""
    program = os.path.realpath(shutil.which(name) or f"/bin/{name}")
    folders = {*filter(os.path.isdir, _HOST_FOLDERS), "/" + program.split("/")[1]}
    return program, [f"{folder}:{folder}:ro" for folder in sorted(folders)]


def ensure_empty_image(api: Any) -> str:
    """Return the name of the empty image; create it if the engine lacks it. Blocks."""
    name = f"{_EMPTY_IMAGE}:{_TAG}"
    try:
        api.inspect_image(name)
    except errors.ImageNotFound:
        content = io.BytesIO()
        with tarfile.open(fileobj=content, mode="w") as archive:
            folder = tarfile.TarInfo("tmp")
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(folder)
        api.import_image_from_data(content.getvalue(), repository=_EMPTY_IMAGE, tag=_TAG)
    return name
