"""JSON-RPC to an Ethereum node: time limits, bounded retries, batches.

web3.py's provider closes its connection after each request and formats every answer, and its import takes most of a
second. Requests here go over the library's own aiohttp session, and callers decode the answers they need.
`JsonRpc.web3` is a complete web3.py client over the same session.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp

from workerpool_poco.chain.answers import read_quantity
from workerpool_poco.chain.outcomes import (
    TOO_MANY_REQUESTS,
    Busy,
    is_busy,
    is_throttling,
    is_transient,
    outcome_of,
    reason_of,
    result_of,
)
from workerpool_poco.chain.traffic import Traffic
from workerpool_poco.chain.transport import Transport, retry_after_s
from workerpool_poco.errors import ChainUnreachable, RpcError, Throttled, WrongChain

if TYPE_CHECKING:
    from web3 import AsyncWeb3

MAX_BATCH = 100
"""Requests in one HTTP body; larger batches are split, because many providers refuse more."""

_STATE_GONE_ATTEMPTS = 5
_MAX_REFUSALS = 8
"""Rate-limit refusals after which a call fails; growing pauses lie between them."""
_PATIENCE_S = 15.0
"""Seconds after which the next refusal fails a call."""
_BATCH_REFUSALS = 2
"""Refusals of one batch after which a smaller one is tried."""
Request = Callable[[], Awaitable[Any]]
"""Sends a body and returns the decoded answer."""


class _CallThrottled(Throttled):
    """The node throttles even a single call, so that smaller batches do not help."""


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
        traffic: Traffic | None = None,
    ) -> None:
        """Create it without connecting.

        Args:
            node_url: HTTP(S) address of the node.
            timeout: time limit of one attempt, in seconds.
            attempts: attempts per request while the node does not answer. Calls that it throttles are repeated
                more often.
            backoff: seconds before the second attempt; doubled for each further one, with jitter.
            max_connections: limit of simultaneous connections.
            traffic: the calls of this process to the node, shared by its clients; None for a client of its own.
        """
        self.node_url = without_secrets(node_url)
        """Scheme, host and port of the node for messages; the rest of a URL may contain a key."""
        self._transport = Transport(node_url, timeout=timeout, max_connections=max_connections)
        self.traffic = traffic or Traffic()
        """The calls of this process to the node; give it to other clients of the same node."""
        self._attempts = attempts
        self._backoff = backoff
        self._largest_batch = MAX_BATCH
        self._doubted_batch = MAX_BATCH + 1
        self._expected_chain: int | None = None
        self._checked_connections = 0

    def expect_chain(self, chain_id: int) -> None:
        """Check the chain id whenever a new connection was opened, since another node may have replaced this one.

        A request answered by a node of another chain raises `WrongChain`, until the right one is back.
        """
        self._expected_chain = chain_id
        self._checked_connections = 0

    @property
    def web3(self) -> "AsyncWeb3[Any]":
        """A web3.py client over the same connections, for calls that this library does not wrap."""
        # The import takes most of a second; services never need it.
        from workerpool_poco.chain.web3_provider import web3_over

        return web3_over(self._transport)

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()

    async def call(
        self, method: str, *params: Any, attempts: int | None = None, timeout: float | None = None
    ) -> Any:
        """Call a method and return its result.

        Retries while the node does not answer; every method that this library uses is idempotent. `attempts` and
        `timeout` (seconds of one attempt) replace the client's own; a single attempt does not wait until the node
        takes more calls. Raises `ChainUnreachable` or `RpcError`.
        """

        async def request() -> Any:
            sending = partial(self._transport.request, method, params, timeout=timeout)
            return result_of(outcome_of(method, await self._admitted([method], sending)))

        for _ in range(_STATE_GONE_ATTEMPTS - 1):
            try:
                return await self._retried(method, request, attempts)
            except RpcError as error:
                if not error.state_gone:
                    raise
        return await self._retried(method, request, attempts)

    async def batch(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any | RpcError]:
        """Call many methods in as few round trips as possible; return the results in order.

        A refused call yields its `RpcError`. A node that refuses or drops batches, or throttles, gets smaller ones,
        down to single requests. Raises `ChainUnreachable`.
        """
        answers: list[Any | RpcError] = []
        refusals, started, largest = 0, time.monotonic(), MAX_BATCH
        while len(answers) < len(calls):
            size = int(min(self._largest_batch, self.traffic.largest_batch, largest))
            try:
                answers += await self._batch(calls[len(answers) : len(answers) + size])
            except _CallThrottled:
                raise
            except Throttled:
                # This lowers the rate by less, and only occasionally.
                refusals, largest = refusals + _BATCH_REFUSALS, max(size // 2, 1)
                late = time.monotonic() - started > _PATIENCE_S
                if refusals >= _MAX_REFUSALS or late:
                    raise
            else:
                refusals, started = 0, time.monotonic()
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
            indexes = [index for index, outcome in enumerate(outcomes) if is_transient(outcome)]
            if len(indexes) > 1:
                await asyncio.sleep(pause)
                again = await self._outcomes([calls[index] for index in indexes])
                for index, outcome in zip(indexes, again, strict=True):
                    outcomes[index] = outcome
        for index, outcome in enumerate(outcomes):
            if is_transient(outcome):
                single = outcomes[index] = await self._single(*calls[index])
                if isinstance(single, RpcError) and single.state_gone:
                    # The state is still missing: the other calls would fail too.
                    break
        return outcomes

    async def _outcomes(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any | RpcError]:
        """Send the calls in one body; one by one if the node takes no batch of this size."""

        async def request() -> Any:
            sending = partial(self._transport.request_batch, calls)
            return await self._admitted([method for method, _ in calls], sending)

        try:
            answers = await self._retried("batch", request, None, max_refusals=_BATCH_REFUSALS)
        except (Throttled, WrongChain):
            raise
        except ChainUnreachable:
            # Some nodes answer a batch that is too large with HTTP 500, or cut the connection.
            answers = None
        if not isinstance(answers, list):
            return await self._one_by_one(calls)
        if len(calls) >= self._doubted_batch:
            self._doubted_batch = MAX_BATCH + 1
        return [outcome_of(name, answer) for (name, _), answer in zip(calls, answers, strict=True)]

    async def _one_by_one(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any | RpcError]:
        """Send calls one by one. If that helps for the second time, use smaller batches from now on."""
        # One attempt: during an outage the batch was repeated already.
        first = await self._single(*calls[0], attempts=1)
        others = await asyncio.gather(*(self._single(*call) for call in calls[1:]))
        outcomes = [first, *others]
        if not all(isinstance(outcome, RpcError) for outcome in outcomes):
            # A single success may be the end of an outage.
            if len(calls) >= self._doubted_batch:
                self._largest_batch = min(self._largest_batch, max(len(calls) // 2, 1))
                self._doubted_batch = MAX_BATCH + 1
            else:
                self._doubted_batch = len(calls)
        return outcomes

    async def _single(
        self, method: str, params: Sequence[Any], attempts: int | None = None
    ) -> Any | RpcError:
        try:
            return await self.call(method, *params, attempts=attempts)
        except RpcError as error:
            return error

    async def _retried(
        self, what: str, request: Request, attempts: int | None, max_refusals: int = _MAX_REFUSALS
    ) -> Any:
        """Return the answer to a request, repeated while the node fails; calls that it throttles wait instead."""
        tries = attempts or self._attempts
        started = time.monotonic()
        failures = refusals = 0
        while True:
            try:
                answer = await request()
                await self._check_chain()
                return answer
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError, Busy) as cause:
                # Not chained: some of these errors contain the whole URL.
                reason = f"{self.node_url} does not answer {what}: {reason_of(cause)}"
                if is_throttling(cause):
                    refusals += 1
                    late = time.monotonic() - started > _PATIENCE_S
                    if attempts == 1 or refusals == max_refusals or late:
                        kind = _CallThrottled if max_refusals == _MAX_REFUSALS else Throttled
                        raise kind(reason) from None
                    continue
                failures += 1
                if failures == tries:
                    raise ChainUnreachable(reason) from None
                await asyncio.sleep(self._backoff * 2 ** (failures - 1) * random.uniform(0.5, 1.5))

    async def _admitted(self, methods: Sequence[str], sending: Request) -> Any:
        """Send a body when the traffic admits it, and report a refusal to the traffic."""
        admitted_at = await self.traffic.admit(methods)
        try:
            answer = await sending()
        except aiohttp.ClientResponseError as error:
            wanted_s = retry_after_s(error.headers)
            if error.status == TOO_MANY_REQUESTS:
                self.traffic.refused(admitted_at, wanted_s)
            elif wanted_s is not None:
                self.traffic.pause(wanted_s)
            raise
        if any(is_busy(each) for each in (answer if isinstance(answer, list) else [answer])):
            self.traffic.refused(admitted_at, None)
        else:
            self.traffic.answered(admitted_at)
        return answer

    async def _check_chain(self) -> None:
        """Raise WrongChain when the node behind a connection opened since the last check serves another chain."""
        if self._expected_chain is None or self._checked_connections == self._transport.connections:
            return
        # Read before the request, which may itself open another connection.
        opened = self._transport.connections
        method = "eth_chainId"
        answer = await self._admitted([method], partial(self._transport.request, method, ()))
        found = read_quantity(method, result_of(outcome_of(method, answer)))
        if found != self._expected_chain:
            raise WrongChain(f"{self.node_url} serves chain {found}, not {self._expected_chain}")
        self._checked_connections = opened


def without_secrets(node_url: str) -> str:
    """Return scheme, host and port of a node's URL; the rest may contain a key."""
    parts = urlsplit(node_url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
