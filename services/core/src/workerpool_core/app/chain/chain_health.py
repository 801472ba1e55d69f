"""Is the node fit to decide on? Down at the start, up on a fresh head, down when the head grows old or nothing answers.

The documented threshold bounds two things: how long the node may be silent, and how old the newest
block may be. A chain of slow blocks is not sick because a block takes its time, so the age may also
always reach six block times.
"""

import logging
from collections.abc import Callable

from workerpool_kit.clock import Clock
from workerpool_kit.health import Health
from workerpool_kit.logs import get_logger
from workerpool_poco.protocol.model import Block

from workerpool_core.domain.events import ChainHealthChanged

log = get_logger()

COMPONENT = "chain"
_BLOCKS_OF_PATIENCE = 6


class ChainHealth:
    """Judges the newest head. Call `look` about once a second; `submit` is told of each change."""

    def __init__(
        self,
        clock: Clock,
        health: Health,
        submit: Callable[[ChainHealthChanged], None],
        *,
        threshold_s: float,
        block_time_s: float,
    ) -> None:
        self._clock = clock
        self._health = health
        self._submit = submit
        self._threshold_s = threshold_s
        self._oldest_head_s = max(threshold_s, _BLOCKS_OF_PATIENCE * block_time_s)
        self._silent_since: float | None = None
        self._first_failure: float | None = None
        self.up: bool | None = None
        health.set(COMPONENT, False, reason="no block seen yet")

    def node_lost(self, error: Exception) -> None:
        """Take note that the node stopped answering."""
        if self._silent_since is None:
            self._silent_since = self._clock.now()
            log.warning("chain.node_lost", error=str(error))

    def node_returned(self) -> None:
        """Take note that the node answers again."""
        if self._silent_since is not None:
            log.info("chain.node_returned", silent_s=round(self._clock.now() - self._silent_since, 1))
            self._silent_since = None

    def look(self, head: Block | None) -> None:
        """Judge the newest head now."""
        now = self._clock.now()
        reason = self._ailment(head, now)
        details: dict[str, object] = {"latestBlock": head.number} if head is not None else {}
        if reason is None:
            self._first_failure = None
        else:
            self._first_failure = self._first_failure or now
            details |= {"reason": reason, "firstFailure": self._first_failure}
        self._health.set(COMPONENT, reason is None, **details)
        if (reason is None) is not self.up:
            self.up = reason is None
            level = logging.INFO if self.up else logging.WARNING
            log.log(level, "chain.health_changed", up=self.up, reason=reason)
            self._submit(ChainHealthChanged(self.up))

    def _ailment(self, head: Block | None, now: float) -> str | None:
        if head is None:
            return "no block seen yet"
        if self._silent_since is not None and now - self._silent_since > self._threshold_s:
            return f"the node has not answered for more than {self._threshold_s:g} s"
        if now - head.timestamp > self._oldest_head_s:
            return f"the newest block is older than {self._oldest_head_s:g} s"
        return None
