"""The images of apps: pulled once, with retries, with and without credentials, and with classified failures."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import Any

from docker import errors
from workerpool_kit.logs import get_logger
from workerpool_kit.retry import Backoff, retry

from workerpool_worker.adapters.docker.connection import DockerConnection, in_thread, reason_of
from workerpool_worker.adapters.docker.images.credentials import ANONYMOUS, Credentials, RegistryCredentials
from workerpool_worker.adapters.docker.images.pull import PullFailed, PullProgress, PullTimedOut, pull_once
from workerpool_worker.adapters.measures import PULL_SECONDS, PULLED, PULLS
from workerpool_worker.domain.fetching.hosts import AddressRefused
from workerpool_worker.domain.fetching.pull_failures import (
    PullFailure,
    pull_failure,
    wanted_pause_s,
    without_addresses,
)
from workerpool_worker.domain.fetching.registries import is_large_registry, registry_key, registry_of
from workerpool_worker.errors import (
    DockerUnavailable,
    HostNetworkUnavailable,
    HostStorageUnavailable,
    ImageSlow,
    ImageUnavailable,
    PublicRegistryUnavailable,
    RegistryAbsent,
    RegistryLoginRefused,
    RegistryRefused,
    RegistryUnavailable,
    WorkerError,
)

log = get_logger()

MAX_IMAGE_BYTES = 32 << 30
_ATTEMPTS = 3
_BACKOFF = Backoff(first_s=2.0, longest_s=20.0)
_SEEN_S = 10.0
"""Seconds for which an image counts as present without a check; a creation that misses it pulls it again."""
_LONGEST_PAUSE_S = 60.0
"""Longest pause that a task waits for a registry, in seconds. After a longer one another worker tries."""

RegistryChecker = Callable[[str], Awaitable[None]]
"""Checks the address of a registry. Raises `AddressRefused`."""


class DockerImages:
    """Images of one engine."""

    def __init__(
        self,
        connection: DockerConnection,
        credentials: RegistryCredentials,
        *,
        check: RegistryChecker | None = None,
        max_bytes: int = MAX_IMAGE_BYTES,
    ) -> None:
        """Create it.

        Args:
            connection: the engine.
            credentials: finds the credentials for a registry; those of the settings may have any address.
            check: checks the address of every other registry before a pull; None checks nothing.
            max_bytes: most compressed bytes of an image.
        """
        self._connection = connection
        self._credentials = credentials
        self._check = check
        self._max_bytes = max_bytes
        self._locks: dict[str, asyncio.Lock] = {}
        self._pulls: dict[str, tuple[PullProgress, float]] = {}
        """Progress of the pulls under way, with their start on the monotonic clock."""
        self._seen: dict[str, float] = {}
        """When the engine had each image, on the monotonic clock."""
        self._not_before: dict[str, float] = {}
        """Registries that requested a pause, and its end on the monotonic clock."""

    async def exists(self, image: str) -> bool:
        """Return whether the engine has an image."""
        return await self.id_of(image) is not None

    async def id_of(self, image: str) -> str | None:
        """Return the id of an image; None if the engine does not have it."""
        found = await self.id_and_size_of(image)
        return None if found is None else found[0]

    async def id_and_size_of(self, image: str) -> tuple[str, int] | None:
        """Return the id of an image and its bytes on the disk; None if the engine does not have it."""

        def read(api: Any) -> tuple[str, int] | None:
            try:
                found = api.inspect_image(image)
            except errors.NotFound:
                return None
            return str(found["Id"]), int(found.get("Size") or 0)

        return await self._connection.call(read)

    def forget(self, image: str) -> None:
        """Check for an image before its next use, because it was or will be removed."""
        self._seen.pop(image, None)

    def pulls(self) -> list[str]:
        """Return a sentence for each pull under way."""
        now = time.monotonic()
        return [
            f"{image}: {progress.sentence()} after {now - began:.0f} s"
            for image, (progress, began) in self._pulls.items()
        ]

    async def ensure(self, image: str, limit_s: float) -> bool:
        """Pull an image within `limit_s` seconds unless the engine has it, and return whether it was pulled.

        Concurrent pulls of one image run once. Outages of the registry are retried three times. Raises
        `ImageUnavailable` if the registry does not provide the image, `RegistryUnavailable` if it fails,
        `RegistryLoginRefused`, `HostNetworkUnavailable`, `HostStorageUnavailable` or `DockerUnavailable`.
        """
        async with self._locks.setdefault(image, asyncio.Lock()):
            now = time.monotonic()
            if now - self._seen.get(image, -math.inf) < _SEEN_S:
                return False
            if await self.exists(image):
                self._seen[image] = now
                return False
            await self._check_registry(image)
            log.info("image.pull_started", image=image, limit_s=limit_s)
            began = time.monotonic()
            try:
                await retry(
                    lambda: self._pull_when_allowed(image, began + limit_s),
                    what="pull an image",
                    on=(RegistryUnavailable, HostNetworkUnavailable),
                    backoff=_BACKOFF,
                    attempts=_ATTEMPTS,
                    timeout_s=limit_s,
                    image=image,
                )
            except WorkerError as failure:
                PULLS.labels(failure.reason).inc()
                raise
            finally:
                self._pulls.pop(image, None)
            took_s = time.monotonic() - began
            PULLS.labels(PULLED).inc()
            PULL_SECONDS.observe(took_s)
            log.info("image.pulled", image=image, duration_s=round(took_s, 1))
            return True

    async def _check_registry(self, image: str) -> None:
        registry = registry_of(image)
        if self._check is None or self._credentials.is_configured(registry) or is_large_registry(registry):
            return
        try:
            await self._check(registry)
        except AddressRefused as refused:
            raise ImageUnavailable(f"the image {image} is not pulled: {refused}") from refused

    async def _pull_when_allowed(self, image: str, end: float) -> None:
        """Pull once the registry's pause is over."""
        pause_s = self._not_before.get(registry_key(registry_of(image)), 0.0) - time.monotonic()
        if pause_s > min(_LONGEST_PAUSE_S, end - time.monotonic()):
            reason = f"its registry requested a pause, of which {pause_s:.0f} s are left"
            raise self._error(image, PullFailed(reason, PullFailure.LIMITED))
        if pause_s > 0:
            await asyncio.sleep(pause_s)
        try:
            await self._pull(image, end)
        except PullFailed as failed:
            if failed.failure is PullFailure.LIMITED and (wanted_s := wanted_pause_s(failed.reason)):
                self._not_before[registry_key(registry_of(image))] = time.monotonic() + wanted_s
            raise self._error(image, failed) from failed
        if not await self.exists(image):
            raise DockerUnavailable(f"the Docker engine ended the pull of {image} before it was complete")

    async def _pull(self, image: str, end: float) -> None:
        """Pull with the credentials for the registry; if it refuses them, again without."""
        credentials = await in_thread(lambda: self._credentials.of(registry_of(image)))
        try:
            return await self._pull_as(credentials, image, end)
        except PullFailed as refused:
            if refused.failure is not PullFailure.DENIED or credentials is ANONYMOUS:
                raise
            refusal = refused
        log.warning(
            "image.pull_denied",
            image=image,
            credentials=credentials.source,
            reason=refusal.reason,
            advice="tried again without credentials",
        )
        try:
            await self._pull_as(ANONYMOUS, image, end)
        except PullFailed as failed:
            if failed.failure not in (PullFailure.DENIED, PullFailure.IMAGE):
                raise
            await self._check_login(credentials, image)
            raise refusal from failed

    async def _pull_as(self, credentials: Credentials, image: str, end: float) -> None:
        now = time.monotonic()
        progress = PullProgress()
        self._pulls[image] = progress, now
        limit_s = max(end - now, 0.0)
        await pull_once(
            self._connection, image, credentials, progress, limit_s=limit_s, max_bytes=self._max_bytes
        )

    async def _check_login(self, credentials: Credentials, image: str) -> None:
        """Find out whether a registry refused the image or the credentials. Raises `RegistryLoginRefused`."""
        auth = credentials.auth
        if "password" not in auth:
            return  # A token proves itself only with an image.

        def log_in(api: Any) -> str:
            try:
                api.login(auth["username"], auth["password"], registry=auth["serveraddress"], reauth=True)
            except errors.APIError as refused:
                return reason_of(refused)
            return ""

        reason = await self._connection.call(log_in)
        if reason and pull_failure(reason) is PullFailure.DENIED:
            raise RegistryLoginRefused(
                f"the registry {registry_of(image)} refuses the credentials of this worker "
                f"({credentials.source}): {without_addresses(reason)}"
            )

    def _error(self, image: str, failed: PullFailed) -> WorkerError:
        text = f"the image {image} cannot be pulled: {without_addresses(failed.reason)}"
        registry = registry_of(image)
        is_large = is_large_registry(registry)
        match failed.failure:
            case PullFailure.DISK:
                return HostStorageUnavailable(text)
            case PullFailure.IMAGE | PullFailure.DENIED:
                return ImageUnavailable(text)
            case PullFailure.ABSENT | PullFailure.REFUSED | PullFailure.LOOKUP if is_large:
                return HostNetworkUnavailable(text)
        if isinstance(failed, PullTimedOut) and failed.arrived:
            return ImageSlow(text)
        if is_large or self._credentials.is_configured(registry):
            return PublicRegistryUnavailable(text)
        kinds = {PullFailure.ABSENT: RegistryAbsent, PullFailure.REFUSED: RegistryRefused}
        return kinds.get(failed.failure, RegistryUnavailable)(text)
