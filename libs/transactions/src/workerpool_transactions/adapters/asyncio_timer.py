"""Time of the running event loop."""

import asyncio


class AsyncioTimer:
    """Waits on the event loop. Implements the `Timer` port."""

    def time(self) -> float:
        """Return the monotonic seconds of the event loop."""
        return asyncio.get_running_loop().time()

    async def wait(self, event: asyncio.Event, timeout_s: float | None) -> bool:
        """Wait for an event, at most `timeout_s` seconds (None: no limit). Return whether it is set."""
        try:
            async with asyncio.timeout(timeout_s):
                await event.wait()
        except TimeoutError:
            pass
        return event.is_set()
