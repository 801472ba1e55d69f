"""Judges whether the node is fit to decide on: down at the start, up on a fresh head, down on an old head or silence.

The documented threshold bounds the silence of the node and the age of the newest block. The age may also reach six
block times, so that a chain with slow blocks stays up.
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
_MAX_AGE_BLOCKS = 6


class ChainHealth:
    """Judges the newest head. Call `look` about once a second; `submit` receives each change."""

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
        self._max_head_age_s = max(threshold_s, _MAX_AGE_BLOCKS * block_time_s)
        self._silent_since: float | None = None
        self._first_failure: float | None = None
        self.up: bool | None = None
        health.set(COMPONENT, False, reason="no block seen yet")

    def node_lost(self, error: Exception) -> None:
        """Record that the node stopped answering."""
        if self._silent_since is None:
            self._silent_since = self._clock.now()
            log.warning("chain.node_lost", error=str(error))

    def node_returned(self) -> None:
        """Record that the node answers again."""
        if self._silent_since is not None:
            log.info("chain.node_recovered", silent_s=round(self._clock.now() - self._silent_since, 1))
            self._silent_since = None

    def look(self, head: Block | None) -> None:
        """Judge the newest head now; None before the first."""
        now = self._clock.now()
        reason = self._problem(head, now)
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

    def _problem(self, head: Block | None, now: float) -> str | None:
        if head is None:
            return "no block seen yet"
        if self._silent_since is not None and now - self._silent_since > self._threshold_s:
            return f"the node has not answered for more than {self._threshold_s:g} s"
        if now - head.timestamp > self._max_head_age_s:
            return f"the newest block is older than {self._max_head_age_s:g} s"
        return None
