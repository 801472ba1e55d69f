"""Batching of the notices that assignments were sent, because single events would load the scheduler."""

import asyncio
from collections.abc import Callable

from workerpool_poco.protocol.ids import TaskId

from workerpool_core.domain.events import AssignmentsSent

_BATCH_DELAY_S = 0.25
"""Seconds for which notices accumulate, little compared with the assignment timeout."""


class SentAssignments:
    """A batch of notices, submitted as one event. Use it in the thread of the event loop."""

    def __init__(self, submit: Callable[[AssignmentsSent], None]) -> None:
        self._submit = submit
        self._waiting: list[tuple[str, TaskId]] = []

    def sent(self, wallet: str, task_id: TaskId) -> None:
        """Add an assignment that was written to its worker's stream."""
        if not self._waiting:
            asyncio.get_running_loop().call_later(_BATCH_DELAY_S, self._submit_batch)
        self._waiting.append((wallet, task_id))

    def _submit_batch(self) -> None:
        pairs, self._waiting = self._waiting, []
        self._submit(AssignmentsSent(tuple(pairs)))
