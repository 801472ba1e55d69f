"""Waiting for a condition instead of for a time."""

import asyncio
import time


async def wait_until(condition, limit_s=30.0, what="the condition"):
    """Wait until `condition()` is truthy and return its value."""
    deadline = time.monotonic() + limit_s
    while True:
        value = condition()
        if asyncio.iscoroutine(value):
            value = await value
        if value:
            return value
        assert time.monotonic() < deadline, f"{what} did not come within {limit_s} s"
        await asyncio.sleep(0.02)
