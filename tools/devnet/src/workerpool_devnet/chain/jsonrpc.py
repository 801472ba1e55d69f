"""JSON-RPC to the local chain through web3.py: raw calls, batches and a `Web3` object over one session."""

from __future__ import annotations

import functools
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workerpool_devnet.errors import ChainError

if TYPE_CHECKING:
    from web3 import Web3

_BATCH = 200
"""Calls in one HTTP request."""


class JsonRpc:
    """Calls a node at `url`. Safe to use from several threads; close it after use.

    The first use imports web3.py, which takes about a second of CPU time: processes that only start a
    chain do not pay for it.
    """

    def __init__(self, url: str, *, timeout: float = 30.0) -> None:
        self.url = url
        self._timeout = timeout
        self._lock = threading.Lock()

    def __enter__(self) -> JsonRpc:
        """Return the client itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self.close()

    @property
    def web3(self) -> Web3:
        """The web3.py client of this node: contracts, typed calls, events."""
        with self._lock:
            return self._client[0]

    def close(self) -> None:
        """Close the connection."""
        if "_client" in vars(self):
            self._client[1].close()

    def call(self, method: str, *params: object) -> Any:
        """Return the result of one call; raises `ChainError` with the node's message."""
        return self.batch([(method, params)])[0]

    def batch(self, calls: Sequence[tuple[str, Sequence[object]]]) -> list[Any]:
        """Return the results of several calls in order; raises `ChainError` for the first that failed."""
        results: list[Any] = []
        for first in range(0, len(calls), _BATCH):
            results.extend(self._send(calls[first : first + _BATCH]))
        return results

    def _send(self, calls: Sequence[tuple[str, Sequence[object]]]) -> list[Any]:
        provider: Any = self.web3.provider
        try:
            answers = provider.make_batch_request([(method, list(params)) for method, params in calls])
        except (OSError, ValueError) as error:
            raise ChainError(f"the chain at {self.url} did not answer {calls[0][0]}: {error}") from error
        for (method, _), answer in zip(calls, answers, strict=True):
            if (failure := answer.get("error")) is not None:
                raise ChainError(f"{method}: {failure.get('message')}")
        return [answer["result"] for answer in answers]

    @functools.cached_property
    def _client(self) -> tuple[Web3, Any]:
        import requests
        from web3 import HTTPProvider, Web3

        # One session for every thread, and no proxy from the environment: the chain is on this machine.
        session = requests.Session()
        session.trust_env = False
        provider = HTTPProvider(self.url, request_kwargs={"timeout": self._timeout}, session=session)
        return Web3(provider), session
