"""New heads of the chain, pushed to connected workers so that they do not poll a node."""

import asyncio
from collections.abc import Callable

from workerpool_kit.clock import Clock

from workerpool_core.app.ports import HeadSource
from workerpool_core.app.workers.sessions import Sessions

_IDLE_PERIOD_S = 5.0
"""Seconds between two heads for workers without work: each message to 5,000 workers costs a quarter of a second."""
_BATCH_DELAY_S = 0.1
"""Seconds for which heads accumulate; only the newest is sent."""


async def push_heads(
    heads: HeadSource, sessions: Sessions, clock: Clock, *, holds_work: Callable[[str], bool]
) -> None:
    """Send each new head to the workers that hold work, and less often to the others, until cancelled.

    A session sends the newest head by itself after its Welcome and with every assignment and command.
    """
    sent_to_all_at = float("-inf")
    async for head in heads:
        sessions.head = head
        for_all = clock.now() - sent_to_all_at >= _IDLE_PERIOD_S
        if for_all:
            sent_to_all_at = clock.now()
        for session in sessions:
            if for_all or holds_work(session.wallet):
                session.head_changed()
        await asyncio.sleep(_BATCH_DELAY_S)
