"""Calls of the Docker SDK: blocking calls in threads, and the SDK's exceptions as the worker's errors."""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import docker
import requests
from docker import errors
from docker.api import client as sdk
from docker.constants import DEFAULT_DOCKER_API_VERSION
from docker.transport import UnixHTTPAdapter
from urllib3.exceptions import HTTPError
from workerpool_kit.runtime.threads import in_daemon_thread

from workerpool_worker.adapters.docker.log_stream import unix_seconds
from workerpool_worker.adapters.docker.transport.unix_calls import UnixCalls
from workerpool_worker.errors import DockerUnavailable, EngineRefused

T = TypeVar("T")

CALL_LIMIT_S = 60
_CANCEL_LIMIT_S = 4.0
NOT_FOUND, CONFLICT = 404, 409
_SERVER_ERROR = 500
_OUTAGES = (errors.DockerException, requests.exceptions.RequestException, HTTPError)
"""All exceptions of the SDK and of the libraries below it. Those of requests are OSErrors, which mean a file of
this host everywhere else."""
_REASON_CHARACTERS = 500


_QUICK = frozenset({"params", "data", "headers", "timeout", "stream", "allow_redirects"})
"""The options of the SDK's usual calls."""
_SDK_CONFIG = threading.Lock()


@contextmanager
def _without_docker_config() -> Iterator[None]:
    """Keep the SDK from reading the operator's Docker configuration while it makes a client.

    It needs none to connect, and one malformed entry would make it fail. `credentials` reads the file for pulls.
    """
    with _SDK_CONFIG:
        read = sdk.config.load_general_config, sdk.auth.load_config
        sdk.config.load_general_config = lambda *_: {}
        sdk.auth.load_config = lambda **_: sdk.auth.AuthConfig({})
        try:
            yield
        finally:
            sdk.config.load_general_config, sdk.auth.load_config = read


class _EngineClient(docker.APIClient):  # type: ignore[misc]
    """The SDK's client without the environment's proxy, which is for servers outside of this host's network."""

    def __init__(self, *, pool_size: int, **options: Any) -> None:
        self._unix: UnixCalls | None = None
        with _without_docker_config():
            super().__init__(version=DEFAULT_DOCKER_API_VERSION, max_pool_size=pool_size, **options)
        adapter = self.adapters.get("http+docker://")
        if isinstance(adapter, UnixHTTPAdapter):
            self._unix = UnixCalls(adapter.socket_path, most_idle=pool_size)
        self._version = self._retrieve_server_version()

    def request(self, method: str, url: str, **options: Any) -> requests.Response:
        """Send a request. Streams go through the SDK, which reaches below them to follow or to end them."""
        usual = {name: value for name, value in options.items() if value is not None}
        is_plain = isinstance(usual.get("data", ""), str | bytes) and not usual.get("stream")
        if self._unix is None or not is_plain or not _QUICK.issuperset(usual):
            answer: requests.Response = super().request(method, url, **options)
            return answer
        return self._quick(method, url, **usual)

    def read(self, url: str, **options: Any) -> requests.Response:
        """Send a GET request for a long answer, which the caller reads piece by piece to its end or closes."""
        if self._unix is None:
            answer: requests.Response = self.get(url, stream=True, **options)
            return answer
        return self._quick("GET", url, stream=True, **options)

    def _quick(
        self, method: str, url: str, *, data: str | bytes = "", allow_redirects: bool = True, **options: Any
    ) -> requests.Response:
        # The engine redirects nothing.
        assert self._unix is not None
        return self._unix.call(method, url.removeprefix(self.base_url), body=data, **options)

    def close(self) -> None:
        """Close all connections."""
        if self._unix is not None:
            self._unix.close()
        super().close()

    @property
    def trust_env(self) -> bool:
        return False

    @trust_env.setter
    def trust_env(self, _: bool) -> None:
        """Ignore the default of the base class."""


class DockerConnection:
    """A connection pool to one engine. It connects on first use."""

    def __init__(self, *, pool_size: int, base_url: str | None) -> None:
        """Create it without connecting. `base_url` None means `DOCKER_HOST` or the default socket."""
        self._pool_size = pool_size
        self._base_url = base_url
        self._api: docker.APIClient | None = None

    @property
    def is_local(self) -> bool:
        """Whether the engine is reached through a socket of this host."""
        address = self._base_url or os.environ.get("DOCKER_HOST") or "unix:"
        return address.startswith(("unix:", "http+unix:", "/"))

    def client(self) -> Any:
        """Return the SDK's client. Connects and blocks on first use."""
        if self._api is None:
            self._api = self.connect(timeout=CALL_LIMIT_S)
        return self._api

    def connect(self, timeout: float) -> Any:
        """Return a new client whose reads time out after `timeout` seconds. Blocks; the caller closes it.

        Raises the SDK's DockerException, also for an address that is none.
        """
        options: dict[str, Any] = {"timeout": timeout, "pool_size": self._pool_size}
        if self._base_url is not None:
            options["base_url"] = self._base_url
        else:
            options |= docker.utils.kwargs_from_env()
        try:
            return _EngineClient(**options)
        except ValueError as malformed:
            raise errors.DockerException(f"the engine's address is malformed: {malformed}") from malformed

    async def call(self, work: Callable[[Any], T]) -> T:
        """Run a short SDK call in a thread. Raises `DockerUnavailable` or `EngineRefused`, and no error of the SDK.

        A cancellation waits for the call for a few seconds, so that no container appears after a cleanup. It does not
        wait for an engine that hangs, because the worker must be able to stop.
        """
        call = asyncio.ensure_future(in_thread(lambda: work(self.client())))
        try:
            return await translate_errors(asyncio.shield(call))
        except asyncio.CancelledError:
            # An engine that hangs fails the call later, when no caller is left to learn of it.
            call.add_done_callback(lambda done: done.cancelled() or done.exception())
            await asyncio.wait({call}, timeout=_CANCEL_LIMIT_S)
            raise

    async def time(self) -> float:
        """Return the clock of the engine's host in Unix seconds: that of the worker may be wrong, or be changed.

        Raises `DockerUnavailable`.
        """
        information = await self.call(lambda api: api.info())
        return unix_seconds(str(information["SystemTime"]))

    def close(self) -> None:
        """Close the connections."""
        if self._api is not None:
            self._api.close()
            self._api = None


async def translate_errors(call: Awaitable[T]) -> T:
    """Await an SDK call. Raises `DockerUnavailable` for an outage, `EngineRefused` for a permanent refusal."""
    try:
        return await call
    except errors.APIError as refusal:
        text = f"the Docker engine refused the call: {reason_of(refusal)}"
        if (
            refusal.status_code is not None
            and refusal.status_code < _SERVER_ERROR
            and refusal.status_code != NOT_FOUND
        ):
            raise EngineRefused(text) from refusal
        raise DockerUnavailable(text) from refusal
    except _OUTAGES as outage:
        raise DockerUnavailable(f"the Docker engine does not answer: {outage}") from outage


async def in_thread(work: Callable[[], T]) -> T:
    """Run a blocking SDK call in a daemon thread, so that a long wait does not delay the process's exit."""
    return await in_daemon_thread(work, name="docker-call")


def reason_of(problem: Exception) -> str:
    """Return the engine's explanation of an error, at most 500 characters."""
    explanation = getattr(problem, "explanation", None)
    return str(explanation or problem)[:_REASON_CHARACTERS]
