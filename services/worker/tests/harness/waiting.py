"""Waiting for a condition with a deadline."""

import asyncio
import inspect
import time
from collections.abc import Callable
from typing import Any, Protocol

from patience import PATIENCE_S


class Eventually(Protocol):
    """Waits for a condition; the fixture `eventually`."""

    async def __call__(self, condition: Callable[[], Any], limit_s: float = PATIENCE_S) -> Any: ...


async def wait_until(
    condition: Callable[[], Any], limit_s: float = PATIENCE_S, what: str = "the condition"
) -> Any:
    """Wait until `condition()` is truthy and return its value. A coroutine is awaited first."""
    deadline = time.monotonic() + limit_s
    while True:
        value = condition()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return value
        assert time.monotonic() < deadline, f"{what} did not come within {limit_s} s"
        await asyncio.sleep(0.02)
