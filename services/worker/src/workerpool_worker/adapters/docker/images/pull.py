"""One pull of an image by the engine: its progress in the log, its time limit, and the errors that may end it."""

import asyncio
import time
from collections.abc import Mapping
from threading import Lock
from typing import Any

import requests
from docker import errors
from urllib3.exceptions import HTTPError, ReadTimeoutError
from workerpool_kit.logs import get_logger

from workerpool_worker.adapters.docker.connection import DockerConnection, in_thread, reason_of
from workerpool_worker.adapters.docker.images.credentials import Credentials
from workerpool_worker.adapters.measures import PULLED_BYTES
from workerpool_worker.domain.fetching.pull_failures import PullFailure, pull_failure
from workerpool_worker.errors import DockerUnavailable, ImageUnavailable

log = get_logger()

PROGRESS_EVERY_S = 15.0
_DONE = frozenset({"Pull complete", "Already exists"})


class PullFailed(Exception):
    """A pull ended with a reason of the registry or of the host."""

    def __init__(self, reason: str, failure: PullFailure) -> None:
        super().__init__(reason)
        self.reason, self.failure = reason, failure


class PullTimedOut(PullFailed):
    """A pull took too long. `arrived` says whether data of the image arrived."""

    def __init__(self, reason: str, *, arrived: bool) -> None:
        super().__init__(reason, PullFailure.OUTAGE)
        self.arrived = arrived


class PullProgress:
    """The progress of a pull, from the engine's messages. One thread adds to it while others may read it."""

    def __init__(self) -> None:
        self.arrived = False
        """Whether data of the image arrived."""
        self._lock = Lock()
        self._sizes: dict[str, int] = {}
        self._arrived_bytes: dict[str, int] = {}
        self._layers: dict[str, bool] = {}

    @property
    def downloaded_bytes(self) -> int:
        """Compressed bytes that arrived."""
        with self._lock:
            return sum(self._arrived_bytes.values())

    @property
    def announced_bytes(self) -> int:
        """Compressed size of the layers that are being downloaded or were."""
        with self._lock:
            return sum(self._sizes.values())

    def add(self, step: Mapping[str, Any]) -> None:
        """Take in one message of the engine."""
        layer, status, detail = str(step.get("id")), step.get("status"), step.get("progressDetail") or {}
        with self._lock:
            if status == "Downloading":
                self.arrived = True
                self._sizes[layer] = _bytes(detail.get("total"))
                self._arrived_bytes[layer] = _bytes(detail.get("current"))
            elif status == "Download complete":
                self._arrived_bytes[layer] = self._sizes.get(layer, 0)
            elif status == "Pulling fs layer":
                self._layers[layer] = False
            elif status in _DONE:
                self._layers[layer] = True

    def fields(self) -> dict[str, int]:
        """Return the fields of a log event."""
        with self._lock:
            return {
                "downloaded_bytes": sum(self._arrived_bytes.values()),
                "announced_bytes": sum(self._sizes.values()),
                "layers_done": sum(self._layers.values()),
                "layers": len(self._layers),
            }

    def sentence(self) -> str:
        """Return the progress in words, for the operator."""
        progress = self.fields()
        return (
            f"{progress['downloaded_bytes'] >> 20} of {progress['announced_bytes'] >> 20} MiB arrived, "
            f"{progress['layers_done']} of {progress['layers']} layers done"
        )


def _bytes(value: object) -> int:
    return value if isinstance(value, int) else 0


async def pull_once(
    connection: DockerConnection,
    image: str,
    credentials: Credentials,
    progress: PullProgress,
    *,
    limit_s: float,
    max_bytes: int,
) -> None:
    """Let the engine pull an image within `limit_s` seconds, at most `max_bytes` compressed.

    `progress` receives the progress of the pull. Raises `PullFailed`, `ImageUnavailable` for an image that is too
    large, or `DockerUnavailable`.
    """
    pull = _Pull(connection, image, credentials, limit_s, max_bytes, progress)
    try:
        async with asyncio.timeout(limit_s):
            await in_thread(pull.run)
    except (TimeoutError, requests.exceptions.ReadTimeout, ReadTimeoutError):
        what = "it did not arrive" if progress.arrived else "its registry sent nothing"
        raise PullTimedOut(f"{what} within {limit_s:.0f} s", arrived=progress.arrived) from None
    except errors.APIError as refusal:
        reason = reason_of(refusal)
        raise PullFailed(reason, pull_failure(reason)) from refusal
    except (errors.DockerException, requests.exceptions.RequestException, HTTPError) as outage:
        raise DockerUnavailable(f"the Docker engine ended the pull of {image}: {outage}") from outage
    finally:
        PULLED_BYTES.inc(progress.downloaded_bytes)


class _Pull:
    """The blocking part of a pull."""

    def __init__(
        self,
        connection: DockerConnection,
        image: str,
        credentials: Credentials,
        limit_s: float,
        max_bytes: int,
        progress: PullProgress,
    ) -> None:
        self._connection, self._image, self._credentials = connection, image, credentials
        self._limit_s, self._max_bytes, self._progress = limit_s, max_bytes, progress

    def run(self) -> None:
        api = self._connection.connect(timeout=self._limit_s)
        try:
            began = logged = time.monotonic()
            for step in api.pull(
                self._image, stream=True, decode=True, auth_config=dict(self._credentials.auth)
            ):
                if "error" in step:
                    reason = str(step["error"])
                    raise PullFailed(reason, pull_failure(reason))
                self._progress.add(step)
                if self._progress.announced_bytes > self._max_bytes:
                    raise ImageUnavailable(
                        f"the image {self._image} is larger than {self._max_bytes} bytes, the limit of this worker"
                    )
                now = time.monotonic()
                if now - began > self._limit_s:
                    return  # The caller timed out. Closing the stream cancels the pull.
                if now - logged > PROGRESS_EVERY_S:
                    logged = now
                    log.info(
                        "image.pull_progressed",
                        image=self._image,
                        seconds=round(now - began),
                        **self._progress.fields(),
                    )
        finally:
            api.close()
