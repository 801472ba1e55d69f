"""JSON-RPC to an Ethereum node: one persistent connection pool, time limits, bounded retries, batches.

Sits on web3.py's asynchronous HTTP provider for the encoding of requests and answers,
but keeps the TCP connections open between them (the stock provider closes each one)
and skips the per-call formatters: the callers decode what they asked for.
"""

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import aiohttp
from web3 import AsyncHTTPProvider, AsyncWeb3
from web3.types import RPCEndpoint, RPCResponse

from workerpool_poco.errors import PocoError

MAX_BATCH = 100
"""Requests in one HTTP body; larger batches are cut (many providers refuse more)."""

_STATE_GONE_WORDS = ("blockoutofrange", "header not found", "missing trie node", "state is not available")
_STATE_GONE_TRIES = 5


class ChainUnreachable(PocoError):
    """The node does not answer: refused, timed out, overloaded, or no JSON-RPC speaks there."""


class RpcError(PocoError):
    """The node answered with an error; ``code``, ``message`` and ``data`` are its own words."""

    def __init__(self, method: str, code: int, message: str, data: Any = None) -> None:
        super().__init__(f"{method}: {message} (code {code})")
        self.method = method
        self.code = code
        self.message = message
        self.data = data

    @property
    def state_gone(self) -> bool:
        """Whether the head moved between the node's choice of a block and its read of that block's state.

        A node that keeps only the newest state answers so; asked again it reads the new head.
        """
        return any(word in self.message.lower() for word in _STATE_GONE_WORDS)


class NodeProvider(AsyncHTTPProvider):
    """web3.py's HTTP provider over one kept-open aiohttp session."""

    def __init__(self, node_url: str, *, timeout: float, max_connections: int) -> None:
        super().__init__(node_url, exception_retry_configuration=None)
        self._url = node_url
        self._limit = max_connections
        self._time_limit = aiohttp.ClientTimeout(total=timeout)
        self._session: aiohttp.ClientSession | None = None

    async def _make_request(self, method: RPCEndpoint, request_data: bytes) -> bytes:
        return await self._post(request_data)

    async def make_batch_request(
        self, batch_requests: list[tuple[RPCEndpoint, Any]]
    ) -> list[RPCResponse] | RPCResponse:
        """Send many requests in one body; the answers come in the order of the requests."""
        answer: Any = self.decode_rpc_response(
            await self._post(self.encode_batch_rpc_request(batch_requests))
        )
        if isinstance(answer, list):
            answer.sort(key=lambda item: item["id"])
        return answer  # type: ignore[no-any-return]

    async def _post(self, body: bytes) -> bytes:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._limit),
                timeout=self._time_limit,
                headers=self.get_request_headers(),
            )
        async with self._session.post(self._url, data=body) as response:
            response.raise_for_status()
            return await response.read()

    async def disconnect(self) -> None:
        """Close the connections; the next request opens new ones."""
        if self._session is not None:
            await self._session.close()
            self._session = None


class JsonRpc:
    """Calls of one node. Safe to share between tasks of one event loop."""

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
            timeout: seconds one attempt may take.
            attempts: how often a request is tried when the node does not answer.
            backoff: seconds before the second attempt; doubles each time, with jitter.
            max_connections: upper bound of simultaneous connections.
        """
        self.node_url = node_url
        self.provider = NodeProvider(node_url, timeout=timeout, max_connections=max_connections)
        self._attempts = attempts
        self._backoff = backoff

    @property
    def web3(self) -> AsyncWeb3[NodeProvider]:
        """A web3.py client over the same connections, for what this library does not wrap."""
        return AsyncWeb3(self.provider)

    async def close(self) -> None:
        """Close the connections."""
        await self.provider.disconnect()

    async def call(self, method: str, *params: Any, attempts: int | None = None) -> Any:
        """Call a method and return its result.

        Retried when the node does not answer (every method this library uses may be
        repeated without harm). Raises :class:`ChainUnreachable` or :class:`RpcError`.
        """

        async def request() -> Any:
            return _result(method, await self.provider.make_request(RPCEndpoint(method), params))

        for _ in range(_STATE_GONE_TRIES - 1):
            try:
                return await self._retried(method, request, attempts)
            except RpcError as error:
                if not error.state_gone:
                    raise
        return await self._retried(method, request, attempts)

    async def batch(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any | RpcError]:
        """Call many methods in as few round trips as possible; answers in order.

        A call the node refuses yields its :class:`RpcError` in its place. Nodes that
        know no batches are asked one by one.
        """
        answers: list[Any | RpcError] = []
        for start in range(0, len(calls), MAX_BATCH):
            answers += await self._batch(calls[start : start + MAX_BATCH])
        return answers

    async def _batch(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any | RpcError]:
        if len(calls) == 1:
            return [await self._single(*calls[0])]

        async def request() -> Any:
            return await self.provider.make_batch_request([(RPCEndpoint(name), args) for name, args in calls])

        answers = await self._retried("batch", request, None)
        if not isinstance(answers, list) or len(answers) != len(calls):
            return list(await asyncio.gather(*(self._single(*call) for call in calls)))
        outcomes = [_outcome(name, answer) for (name, _), answer in zip(calls, answers, strict=True)]
        for position, outcome in enumerate(outcomes):
            if isinstance(outcome, RpcError) and outcome.state_gone:
                outcomes[position] = await self._single(*calls[position])
        return outcomes

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
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as cause:
                if attempt == tries:
                    raise ChainUnreachable(f"{self.node_url} does not answer {what}: {cause!r}") from cause
                await asyncio.sleep(self._backoff * 2 ** (attempt - 1) * random.uniform(0.5, 1.5))
        raise AssertionError("unreachable")


def _result(method: str, answer: Any) -> Any:
    outcome = _outcome(method, answer)
    if isinstance(outcome, RpcError):
        raise outcome
    return outcome


def _outcome(method: str, answer: Any) -> Any | RpcError:
    if not isinstance(answer, dict):
        return RpcError(method, 0, "the answer is not a JSON-RPC object")
    error = answer.get("error")
    if error is None:
        return answer.get("result")
    if not isinstance(error, dict):
        return RpcError(method, 0, str(error))
    return RpcError(method, int(error.get("code", 0)), str(error.get("message", "")), error.get("data"))
