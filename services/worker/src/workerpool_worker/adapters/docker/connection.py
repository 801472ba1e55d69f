"""Calls of the Docker SDK: blocking calls in threads, and the SDK's exceptions as the worker's errors."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import docker
import requests
from docker import errors
from workerpool_kit.logs import get_logger

from workerpool_worker.errors import DockerUnavailable

T = TypeVar("T")
log = get_logger()

CALL_LIMIT_S = 60
NOT_FOUND, CONFLICT = 404, 409
_SERVER_ERROR = 500
_CONNECTION_ERRORS = (
    requests.exceptions.ConnectionError,
    requests.exceptions.Timeout,
    requests.exceptions.ChunkedEncodingError,
)
_REASON_CHARACTERS = 500


class DockerConnection:
    """A connection pool to one engine. It connects on first use."""

    def __init__(self, *, pool_size: int, base_url: str | None) -> None:
        """Create it without connecting. `base_url` None means `DOCKER_HOST` or the default socket."""
        self._pool_size = pool_size
        self._base_url = base_url
        self._api: docker.APIClient | None = None

    def client(self) -> Any:
        """Return the SDK's client. Connects and blocks on first use."""
        if self._api is None:
            self._api = self.connect(timeout=CALL_LIMIT_S)
        return self._api

    def connect(self, timeout: float) -> Any:
        """Return a new client whose reads time out after `timeout` seconds. Blocks; the caller closes it."""
        options: dict[str, Any] = {"timeout": timeout, "version": "auto", "max_pool_size": self._pool_size}
        if self._base_url is not None:
            options["base_url"] = self._base_url
        else:
            options |= docker.utils.kwargs_from_env()
        return docker.APIClient(**options)

    async def call(self, work: Callable[[Any], T]) -> T:
        """Run a short SDK call in a thread. Raises `DockerUnavailable`, or the SDK's error for a refusal.

        A cancellation waits for the call, so that no container appears after a cleanup.
        """
        call = asyncio.ensure_future(in_thread(lambda: work(self.client())))
        try:
            return await translate_errors(asyncio.shield(call))
        except asyncio.CancelledError:
            await asyncio.wait({call}, timeout=CALL_LIMIT_S)
            if call.done() and not call.cancelled():
                call.exception()
            raise

    def close(self) -> None:
        """Close the connections."""
        if self._api is not None:
            self._api.close()
            self._api = None


async def translate_errors(call: Awaitable[T]) -> T:
    """Await an SDK call. Raises `DockerUnavailable` for an outage; a permanent refusal of the engine passes through."""
    try:
        return await call
    except errors.APIError as refusal:
        if (
            refusal.status_code is not None
            and refusal.status_code < _SERVER_ERROR
            and refusal.status_code != NOT_FOUND
        ):
            raise
        raise DockerUnavailable(f"the Docker engine refused the call: {reason_of(refusal)}") from refusal
    except (errors.DockerException, *_CONNECTION_ERRORS) as outage:
        raise DockerUnavailable(f"the Docker engine does not answer: {outage}") from outage


async def in_thread(work: Callable[[], T]) -> T:
    """Run a blocking function in its own daemon thread, so that a long wait does not delay the process's exit.

    After a cancellation the thread ends by itself and its result is dropped.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def resolve(value: T | None, problem: BaseException | None) -> None:
        if future.done():
            return
        if problem is not None:
            future.set_exception(problem)
        else:
            future.set_result(value)  # type: ignore[arg-type]

    def run() -> None:
        value, problem = None, None
        try:
            value = work()
        except BaseException as raised:
            problem = raised
        try:
            loop.call_soon_threadsafe(resolve, value, problem)
        except RuntimeError:
            log.debug("docker.result_dropped")

    threading.Thread(target=run, name="docker-call", daemon=True).start()
    return await future


def reason_of(problem: Exception) -> str:
    """Return the engine's explanation of an error, at most 500 characters."""
    explanation = getattr(problem, "explanation", None)
    return str(explanation or problem)[:_REASON_CHARACTERS]
