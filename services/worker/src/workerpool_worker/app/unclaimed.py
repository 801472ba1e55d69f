"""A replicate that the scheduler does not know although this worker contributed.

The scheduler's database may be an older copy. The worker's stake is locked until it reveals, so it keeps the replicate
while the chain has its contribution. The scheduler finds that contribution and sends the command to reveal.
"""

import asyncio
from collections.abc import Callable

from workerpool_kit.logs import get_logger
from workerpool_kit.runtime.tasks import start_task
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ChainTaskStatus, ContributionStatus

from workerpool_worker.app.ports import Chain
from workerpool_worker.errors import ChainUnavailable

log = get_logger()

_LOOK_S = 15.0
_OVER = frozenset({ChainTaskStatus.COMPLETED, ChainTaskStatus.FAILED})
_COUNTS = frozenset({ContributionStatus.CONTRIBUTED, ContributionStatus.PROVED})
_LOOKS_WITHOUT = 2
"""Looks in turn without a contribution that tell that there is none: one node of several may lag."""


async def until_useless(
    chain: Chain, task_id: TaskId, contributing: Callable[[], bool], *, look_s: float = _LOOK_S
) -> None:
    """Return once the task is over on chain, or the chain has no contribution of this worker that counts.

    `contributing` tells whether a contribution may still be under way.
    """
    without = 0
    while True:
        may_come = contributing()
        try:
            task, contribution = await chain.with_contribution(task_id)
        except ChainUnavailable:
            pass
        else:
            if task.status in _OVER:
                return
            without = 0 if may_come or contribution.status in _COUNTS else without + 1
            if without == _LOOKS_WITHOUT:
                return
        await asyncio.sleep(look_s)


class Unclaimed:
    """Whether the scheduler does not know a replicate; true from `begin` to `end`."""

    def __init__(self, chain: Chain, task_id: TaskId, discard: Callable[[], None]) -> None:
        """Create it without effect. `discard` ends the replicate once its contribution is useless."""
        self._chain, self._task_id = chain, task_id
        self._discard = discard
        self._watch: asyncio.Task[None] | None = None

    def __bool__(self) -> bool:
        """Return whether the replicate waits for the scheduler to know it."""
        return self._watch is not None

    def begin(self, contributing: Callable[[], bool]) -> None:
        """Watch the contribution on chain. A repetition has no effect."""
        if self._watch is None:
            log.warning("replicate.disowned", task=self._task_id)
            self._watch = start_task(self._discard_once_useless(contributing), name="replicate-unclaimed")

    def end(self) -> None:
        """Stop watching: the scheduler knows the replicate, or the replicate ended."""
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    async def _discard_once_useless(self, contributing: Callable[[], bool]) -> None:
        await until_useless(self._chain, self._task_id, contributing)
        self._discard()
