"""Pulls of app images."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import requests
from docker import errors
from urllib3.exceptions import HTTPError, ReadTimeoutError
from workerpool_kit.logs import get_logger

from workerpool_worker.adapters.docker.connection import DockerConnection, in_thread, reason_of
from workerpool_worker.domain.images import registry_of
from workerpool_worker.errors import (
    DockerUnavailable,
    HostStorageUnavailable,
    ImageUnavailable,
    WorkerError,
)

log = get_logger()


class DockerImages:
    """Images of one engine."""

    def __init__(self, connection: DockerConnection, registries: Mapping[str, tuple[str, str]]) -> None:
        """Create it. `registries` maps a registry address to its user and password."""
        self._connection = connection
        self._registries = registries
        self._pulls: dict[str, asyncio.Lock] = {}

    async def exists(self, image: str) -> bool:
        """Tell whether the engine has an image."""

        def look(api: Any) -> bool:
            try:
                api.inspect_image(image)
            except errors.NotFound:
                return False
            return True

        return await self._connection.call(look)

    async def ensure(self, image: str, limit_s: float) -> None:
        """Pull an image within `limit_s` seconds unless the engine has it. Concurrent pulls of one image run once.

        Raises `ImageUnavailable` if the registry does not provide it, `DockerUnavailable` or
        `HostStorageUnavailable` if the registry is not at fault.
        """
        async with self._pulls.setdefault(image, asyncio.Lock()):
            if await self.exists(image):
                return
            log.info("image.pull_started", image=image, limit_s=limit_s)
            began = time.monotonic()
            try:
                async with asyncio.timeout(limit_s):
                    await in_thread(lambda: self._pull(image, limit_s))
            except (TimeoutError, requests.exceptions.ReadTimeout, ReadTimeoutError):
                raise ImageUnavailable(f"the image {image} did not arrive within {limit_s:.0f} s") from None
            except errors.APIError as refusal:
                raise _pull_error(image, reason_of(refusal)) from refusal
            except (errors.DockerException, requests.exceptions.RequestException, HTTPError) as outage:
                raise DockerUnavailable(f"the Docker engine ended the pull of {image}: {outage}") from outage
            if not await self.exists(image):
                raise DockerUnavailable(f"the Docker engine ended the pull of {image} before it was complete")
            log.info("image.pulled", image=image, duration_s=round(time.monotonic() - began, 1))

    def _pull(self, image: str, limit_s: float) -> None:
        credentials = self._registries.get(registry_of(image))
        api = self._connection.connect(timeout=limit_s)
        try:
            began = time.monotonic()
            auth = {"username": credentials[0], "password": credentials[1]} if credentials else None
            for progress in api.pull(image, stream=True, decode=True, auth_config=auth):
                if "error" in progress:
                    raise _pull_error(image, str(progress["error"]))
                if time.monotonic() - began > limit_s:
                    return  # The caller timed out. The engine cancels a pull whose stream is closed.
        finally:
            api.close()


def _pull_error(image: str, reason: str) -> WorkerError:
    text = f"the image {image} cannot be pulled: {reason}"
    return HostStorageUnavailable(text) if "no space left on device" in reason else ImageUnavailable(text)
