"""A signal that wakes one loop; requests before the loop waits are merged into one."""

import asyncio


class Wakeup:
    """The wake-up signal of a background loop."""

    def __init__(self) -> None:
        self._requested = asyncio.Event()

    def request(self) -> None:
        """Make the loop run again, now or when it next waits."""
        self._requested.set()

    async def wait(self, timeout_s: float | None = None) -> None:
        """Wait for a request, at most `timeout_s` seconds, and clear all requests so far."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._requested.wait()
        except TimeoutError:
            pass
        self._requested.clear()
