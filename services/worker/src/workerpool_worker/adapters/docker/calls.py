"""How the Docker SDK is called: it blocks, so in threads; and what goes wrong, in the worker's own words."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import TypeVar

import requests
import structlog
from docker import errors

from workerpool_worker.errors import DockerUnavailable

T = TypeVar("T")
log = structlog.get_logger()

CALL_LIMIT_S = 60
NOT_FOUND, CONFLICT = 404, 409
_SERVER_ERROR = 500
_CONNECTION_ERRORS = (
    requests.exceptions.ConnectionError,
    requests.exceptions.Timeout,
    requests.exceptions.ChunkedEncodingError,
)


async def translated(call: Awaitable[T]) -> T:
    """Await a call of the SDK. Raises DockerUnavailable for outages, and as it is what the engine refuses for good."""
    try:
        return await call
    except errors.APIError as refusal:
        if (
            refusal.status_code is not None
            and refusal.status_code < _SERVER_ERROR
            and refusal.status_code != NOT_FOUND
        ):
            raise
        raise DockerUnavailable(f"the Docker engine refused: {reason_of(refusal)}") from refusal
    except (errors.DockerException, *_CONNECTION_ERRORS) as outage:
        raise DockerUnavailable(f"the Docker engine does not answer: {outage}") from outage


async def in_thread(work: Callable[[], T]) -> T:
    """Run something in a daemon thread of its own: a wait for a container must not keep the process from ending.

    After a cancellation the thread ends by itself, whenever that is: nobody waits for it.
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
            log.debug("docker.answer_after_the_end")

    threading.Thread(target=run, name="docker-call", daemon=True).start()
    return await future


def reason_of(problem: Exception) -> str:
    """Return the engine's own words, at most 500 characters."""
    explanation = getattr(problem, "explanation", None)
    return str(explanation or problem)[:500]
