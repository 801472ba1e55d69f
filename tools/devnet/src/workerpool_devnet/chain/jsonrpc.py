"""A minimal JSON-RPC client for the local chain: single calls and batches over one connection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx

from workerpool_devnet.errors import ChainError

_BATCH = 200


class JsonRpc:
    """Calls a node at `url`. Safe to use from several threads; close it when done."""

    def __init__(self, url: str, *, timeout: float = 30.0) -> None:
        self.url = url
        self._http = httpx.Client(timeout=timeout, trust_env=False)

    def __enter__(self) -> JsonRpc:
        """Return the client itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

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
        request = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}
            for number, (method, params) in enumerate(calls)
        ]
        try:
            answers = self._http.post(self.url, json=request).raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise ChainError(f"the chain at {self.url} did not answer {calls[0][0]}: {error}") from error
        by_id = {answer["id"]: answer for answer in answers}
        for number, (method, _) in enumerate(calls):
            if (failure := by_id[number].get("error")) is not None:
                raise ChainError(f"{method}: {failure.get('message')}")
        return [by_id[number]["result"] for number in range(len(calls))]
