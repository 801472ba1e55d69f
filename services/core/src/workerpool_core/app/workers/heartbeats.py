"""Workers' signs of life, gathered: thousands a second would each cost the scheduler a turn otherwise."""

import asyncio
from collections.abc import Callable

from workerpool_core.domain.events import HeartbeatsReceived

_GATHER_S = 0.05
"""How long signs of life gather; nothing next to the liveness window of a minute."""


class Heartbeats:
    """Hands the signs of life of a moment to the scheduler as one event. Used in the event loop's thread."""

    def __init__(self, submit: Callable[[HeartbeatsReceived], None]) -> None:
        self._submit = submit
        self._waiting: list[tuple[str, str]] = []

    def beat(self, wallet: str, session: str) -> None:
        """Take note of a sign of life that came by a session of a wallet."""
        if not self._waiting:
            asyncio.get_running_loop().call_later(_GATHER_S, self._pass_on)
        self._waiting.append((wallet, session))

    def _pass_on(self) -> None:
        beats, self._waiting = self._waiting, []
        self._submit(HeartbeatsReceived(tuple(beats)))
