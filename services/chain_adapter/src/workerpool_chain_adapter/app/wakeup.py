"""A request to work that wakes one loop; requests before the loop waits are merged into one."""

import asyncio


class Wakeup:
    """Wakes a background loop."""

    def __init__(self) -> None:
        self._requested = asyncio.Event()

    def request(self) -> None:
        """Have the loop run once more, now or when it next waits."""
        self._requested.set()

    async def wait(self, timeout_s: float | None = None) -> None:
        """Return at the next request, or after `timeout_s` seconds; earlier requests are then served."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._requested.wait()
        except TimeoutError:
            pass
        self._requested.clear()
