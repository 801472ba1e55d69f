"""Batching of heartbeats, because thousands of single events per second would load the scheduler."""

import asyncio
from collections.abc import Callable

from workerpool_core.domain.events import HeartbeatsReceived

_BATCH_DELAY_S = 0.05
"""Seconds for which heartbeats accumulate, little compared with the liveness window of a minute."""


class Heartbeats:
    """A batch of heartbeats, submitted as one event. Use it in the thread of the event loop."""

    def __init__(self, submit: Callable[[HeartbeatsReceived], None]) -> None:
        self._submit = submit
        self._waiting: list[tuple[str, str]] = []

    def beat(self, wallet: str, session: str) -> None:
        """Add a heartbeat of a session of a wallet."""
        if not self._waiting:
            asyncio.get_running_loop().call_later(_BATCH_DELAY_S, self._submit_batch)
        self._waiting.append((wallet, session))

    def _submit_batch(self) -> None:
        beats, self._waiting = self._waiting, []
        self._submit(HeartbeatsReceived(tuple(beats)))
