"""The worker's own images on the engine: recorded when pulled, removed by last use and when the disk fills.

Only images that this worker pulled are ever removed, by the name under which it pulled them and without force: an
image that has another name as well, or any container, stays on the host.
"""

import asyncio
import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from workerpool_kit.logs import get_logger

from workerpool_worker.adapters.docker.connection import DockerConnection
from workerpool_worker.adapters.docker.images.store import DockerImages
from workerpool_worker.adapters.files.atomic import replace_text
from workerpool_worker.adapters.measures import IMAGE_BYTES, IMAGES
from workerpool_worker.domain.containers.image_cache import OwnImage, expired, oldest_first
from workerpool_worker.errors import EngineFailure, EngineRefused, HostStorageUnavailable

log = get_logger()

SWEEP_EVERY_S = 60.0
_WRITE_EVERY_S = 60.0
"""A use of an image is recorded at most this often, since images stay for days."""


@dataclass(frozen=True, slots=True)
class CachePolicy:
    """How long images stay."""

    file: Path | None = None
    """Record of the worker's own images; None keeps it in memory."""
    floor_bytes: int = 5 << 30
    """Free disk space below which the least recently used images are removed."""
    keep_s: float = 30 * 86_400.0
    """Time without a task after which an image is removed."""


class ImageCache:
    """Provides images to tasks and removes unused ones."""

    def __init__(
        self,
        connection: DockerConnection,
        images: DockerImages,
        policy: CachePolicy,
        *,
        free_bytes: Callable[[], int | None],
        now: Callable[[], float] = time.time,
    ) -> None:
        """Create it. `free_bytes` returns the free space of the engine's disk, None if it is not known."""
        self._connection, self._images, self._policy = connection, images, policy
        self._free_bytes, self._now = free_bytes, now
        self._own = _read(policy.file)
        self._changes = asyncio.Lock()
        self._written_at = -math.inf
        self._measure()

    @property
    def own(self) -> list[OwnImage]:
        """The images that this worker pulled and that are still recorded."""
        return list(self._own.values())

    async def ensure(self, image: str, limit_s: float) -> None:
        """Provide an image to a task. Raises what `DockerImages.ensure` raises.

        If the disk fills, remove the worker's own unused images and retry the pull once.
        """
        await self.free_space()
        try:
            pulled = await self._images.ensure(image, limit_s)
        except HostStorageUnavailable:
            if not await self.free_space(at_least=1):
                raise
            pulled = await self._images.ensure(image, limit_s)
        async with self._changes:
            if pulled and (found := await self._images.id_and_size_of(image)) is not None:
                image_id, size_bytes = found
                self._own[image] = OwnImage(image, image_id, self._now(), size_bytes)
                await self._write()
            elif (known := self._own.get(image)) is not None:
                self._own[image] = replace(known, used_at=self._now())
                if self._now() - self._written_at > _WRITE_EVERY_S:
                    await self._write()

    def forget(self, image: str) -> None:
        """Check the engine for an image before its next use, because the engine no longer has it."""
        self._images.forget(image)

    def pulls(self) -> list[str]:
        """Return a sentence for each pull under way."""
        return self._images.pulls()

    async def remove_all(self, kept: frozenset[str]) -> list[str]:
        """Remove the worker's own images except `kept` and those in use; return the names of the removed ones."""
        async with self._changes:
            own = [image for image in self.own if image.name not in kept]
            return [image.name for image in own if await self._remove(image, "cleaned")]

    async def sweep(self) -> None:
        """Remove expired images, and the oldest ones while the disk lacks space."""
        async with self._changes:
            for image in expired(self.own, self._now(), self._policy.keep_s):
                await self._remove(image, "unused")
        await self.free_space()

    async def free_space(self, at_least: int = 0) -> int:
        """Remove the least recently used images while the disk is below the floor; return their number.

        `at_least` is removed even if the disk has space, or if its space is unknown.
        """
        removed = 0
        async with self._changes:
            if at_least == 0 and not await self._is_short():
                return 0
            for image in oldest_first(self.own, self._now()):
                if removed >= at_least and not await self._is_short():
                    break
                removed += await self._remove(image, "disk")
        return removed

    async def sweep_forever(self) -> None:
        """Sweep once a minute."""
        while True:
            await asyncio.sleep(SWEEP_EVERY_S)
            try:
                await self.sweep()
            except EngineFailure as problem:
                log.warning("images.sweep_failed", error=problem.message)

    async def _is_short(self) -> bool:
        free = await asyncio.to_thread(self._free_bytes)
        return free is not None and free < self._policy.floor_bytes

    async def _remove(self, image: OwnImage, reason: str) -> bool:
        """Remove an image unless it is in use or its name refers to another one. Return whether it was removed."""
        self._images.forget(image.name)
        found = await self._images.id_of(image.name)
        if found != image.image_id:
            del self._own[image.name]
            await self._write()
            return False
        try:
            await self._connection.call(lambda api: api.remove_image(image.name, force=False))
        except EngineRefused as refusal:
            log.debug("image.kept", image=image.name, reason=refusal.message)
            return False
        del self._own[image.name]
        await self._write()
        unused_s = round(self._now() - image.used_at)
        log.info("image.removed", image=image.name, reason=reason, unused_s=unused_s)
        return True

    def _measure(self) -> None:
        IMAGES.set(len(self._own))
        IMAGE_BYTES.set(sum(image.size_bytes for image in self._own.values()))

    async def _write(self) -> None:
        self._measure()
        self._written_at = self._now()
        if self._policy.file is not None:
            content = json.dumps([asdict(image) for image in self.own], indent=1)
            try:
                await asyncio.to_thread(replace_text, self._policy.file, content)
            except OSError as problem:
                log.warning("images.record_failed", file=str(self._policy.file), error=str(problem))


def free_bytes_of(folder: Path) -> int | None:
    """Return the free space of a folder's file system; None if the folder is not on this host. Blocks."""
    try:
        space = os.statvfs(folder)
    except OSError:
        return None
    return space.f_bavail * space.f_frsize


def _read(file: Path | None) -> dict[str, OwnImage]:
    """Return the record. One that cannot be read is empty: images of unknown origin are never removed."""
    if file is None or not file.exists():
        return {}
    try:
        entries = [OwnImage(**entry) for entry in json.loads(file.read_text())]
        return {
            entry.name: replace(entry, used_at=float(entry.used_at), size_bytes=int(entry.size_bytes))
            for entry in entries
        }
    except (OSError, ValueError, TypeError) as problem:
        log.warning("images.record_read_failed", file=str(file), error=str(problem))
        return {}
