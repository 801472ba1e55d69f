"""JSON-RPC to an Ethereum node: time limits, bounded retries, batches.

web3.py's provider closes its connection after each request and formats every answer, and its import takes most of a
second. Requests here go over the library's own aiohttp session, and callers decode the answers they need.
`JsonRpc.web3` is a complete web3.py client over the same session.
"""

import asyncio
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp

from workerpool_poco.chain.transport import Transport
from workerpool_poco.errors import ChainUnreachable, RpcError

if TYPE_CHECKING:
    from web3 import AsyncWeb3

MAX_BATCH = 100
"""Requests in one HTTP body; larger batches are split, because many providers refuse more."""

_STATE_GONE_ATTEMPTS = 5
_NO_ANSWER = "the answer is not a JSON-RPC object"


class _Busy(Exception):
    """The node throttles the request."""


def quantity(method: str, answer: Any) -> int:
    """Return the number in a node's answer; raises `RpcError` for any other answer."""
    try:
        return int(answer, 16)
    except (TypeError, ValueError) as cause:
        raise malformed(method, answer) from cause


SHAPE_ERRORS = (AttributeError, KeyError, TypeError, ValueError)
"""Exceptions raised while an answer of an unexpected shape is read; see `malformed`."""


def malformed(method: str, answer: Any) -> RpcError:
    """Return the error for an answer of the wrong shape, such as null from a node that lags or starts."""
    return RpcError(method, 0, f"the node answered {repr(answer)[:200]}")


class JsonRpc:
    """A client of one node. Tasks of one event loop may share it."""

    def __init__(
        self,
        node_url: str,
        *,
        timeout: float = 10.0,
        attempts: int = 4,
        backoff: float = 0.1,
        max_connections: int = 32,
    ) -> None:
        """Prepare, without connecting.

        Args:
            node_url: HTTP(S) address of the node.
            timeout: time limit of one attempt, in seconds.
            attempts: attempts per request while the node does not answer.
            backoff: seconds before the second attempt; doubled for each further one, with jitter.
            max_connections: limit of simultaneous connections.
        """
        self.node_url = _without_secrets(node_url)
        """Scheme, host and port of the node for messages; the rest of a URL may contain a key."""
        self._transport = Transport(node_url, timeout=timeout, max_connections=max_connections)
        self._attempts = attempts
        self._backoff = backoff

    @property
    def web3(self) -> "AsyncWeb3[Any]":
        """A web3.py client over the same connections, for calls that this library does not wrap."""
        # The import takes most of a second; services never need it.
        from workerpool_poco.chain.web3_provider import web3_over

        return web3_over(self._transport)

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()

    async def call(self, method: str, *params: Any, attempts: int | None = None) -> Any:
        """Call a method and return its result.

        Retries while the node does not answer; every method that this library uses is idempotent. Raises
        `ChainUnreachable` or `RpcError`.
        """

        async def request() -> Any:
            outcome = _outcome(method, await self._transport.request(method, params))
            if isinstance(outcome, RpcError):
                raise _Busy(str(outcome)) if outcome.busy else outcome
            return outcome

        for _ in range(_STATE_GONE_ATTEMPTS - 1):
            try:
                return await self._retried(method, request, attempts)
            except RpcError as error:
                if not error.state_gone:
                    raise
        return await self._retried(method, request, attempts)

    async def batch(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any | RpcError]:
        """Call many methods in as few round trips as possible; return the results in order.

        A refused call yields its `RpcError`. Nodes without batch support get single requests. Raises
        `ChainUnreachable`.
        """
        answers: list[Any | RpcError] = []
        for start in range(0, len(calls), MAX_BATCH):
            answers += await self._batch(calls[start : start + MAX_BATCH])
        return answers

    async def batch_results(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        """Call many methods as `batch` does; raise the first `RpcError`."""
        answers = await self.batch(calls)
        for answer in answers:
            if isinstance(answer, RpcError):
                raise answer
        return answers

    async def _batch(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any | RpcError]:
        if len(calls) == 1:
            return [await self._single(*calls[0])]

        outcomes = await self._outcomes(calls)
        for pause in (self._backoff, 2 * self._backoff):
            indexes = [index for index, outcome in enumerate(outcomes) if _is_transient(outcome)]
            if len(indexes) > 1:
                await asyncio.sleep(pause)
                again = await self._outcomes([calls[index] for index in indexes])
                for index, outcome in zip(indexes, again, strict=True):
                    outcomes[index] = outcome
        for index, outcome in enumerate(outcomes):
            if _is_transient(outcome):
                single = outcomes[index] = await self._single(*calls[index])
                if isinstance(single, RpcError) and single.state_gone:
                    # The state stays missing: the other calls would fail as well.
                    break
        return outcomes

    async def _outcomes(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any | RpcError]:
        """Send the calls in one body, or one by one to a node without batch support."""

        async def request() -> Any:
            return await self._transport.request_batch(calls)

        answers = await self._retried("batch", request, None)
        if not isinstance(answers, list):
            return list(await asyncio.gather(*(self._single(*call) for call in calls)))
        return [_outcome(name, answer) for (name, _), answer in zip(calls, answers, strict=True)]

    async def _single(self, method: str, params: Sequence[Any]) -> Any | RpcError:
        try:
            return await self.call(method, *params)
        except RpcError as error:
            return error

    async def _retried(self, what: str, request: Any, attempts: int | None) -> Any:
        tries = attempts or self._attempts
        for attempt in range(1, tries + 1):
            try:
                return await request()
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError, _Busy) as cause:
                if attempt == tries:
                    # Not chained: some of these errors contain the whole URL.
                    raise ChainUnreachable(
                        f"{self.node_url} does not answer {what}: {_reason(cause)}"
                    ) from None
                await asyncio.sleep(self._backoff * 2 ** (attempt - 1) * random.uniform(0.5, 1.5))
        raise AssertionError("unreachable")


def _without_secrets(node_url: str) -> str:
    parts = urlsplit(node_url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _reason(cause: Exception) -> str:
    if isinstance(cause, aiohttp.ClientResponseError):
        return f"HTTP {cause.status} {cause.message}"
    return "its URL is not usable" if isinstance(cause, aiohttp.InvalidURL) else repr(cause)


def _is_transient(outcome: Any) -> bool:
    """Return whether a repeated request may succeed: the answer is missing or the node refused for a passing reason."""
    return isinstance(outcome, RpcError) and (
        outcome.state_gone or outcome.busy or outcome.message == _NO_ANSWER
    )


def _outcome(method: str, answer: Any) -> Any | RpcError:
    if not isinstance(answer, dict):
        return RpcError(method, 0, _NO_ANSWER)
    error = answer.get("error")
    if error is None:
        if "result" not in answer:
            return RpcError(method, 0, "the answer has neither result nor error")
        return answer["result"]
    if not isinstance(error, dict):
        return RpcError(method, 0, str(error))
    code = error.get("code")
    return RpcError(
        method, code if isinstance(code, int) else 0, str(error.get("message", "")), error.get("data")
    )
