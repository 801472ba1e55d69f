"""The health of the node: down at the start, up with the first head.

It is down when the node does not answer, serves another chain, or lost followed blocks. An old head is no failure: a
sequencer chain without transactions makes no block for minutes.
"""

import logging
from collections.abc import Callable

from workerpool_kit.clock import Clock
from workerpool_kit.dependencies.report import (
    UNREACHABLE,
    WRONG,
    Dependency,
    DependencyProblem,
    DependencyReport,
)
from workerpool_kit.health import Health
from workerpool_kit.logs import get_logger
from workerpool_poco.errors import WrongChain
from workerpool_poco.protocol.model import Block

from workerpool_core.domain.events import ChainHealthChanged, ChainProblem

log = get_logger()

_NAMED_AFTER_S = 3.0
"""Seconds of silence after which health names the node; work continues until the documented threshold."""


class ChainHealth:
    """The judge of the newest head. Call `check` about once a second; `submit` receives each change."""

    def __init__(
        self,
        clock: Clock,
        health: Health,
        submit: Callable[[ChainHealthChanged], None],
        *,
        threshold_s: float,
        dependency: Dependency,
    ) -> None:
        self._clock = clock
        self._report = DependencyReport(health, dependency)
        self._submit = submit
        self._threshold_s = threshold_s
        self._silent_since: float | None = None
        self._behind_since: float | None = None
        self._wrong_chain: str | None = None
        self._first_failure: float | None = None
        self._reported_problem: ChainProblem | None = None
        self.up: bool | None = None

    def node_lost(self, error: Exception) -> None:
        """Record that the node stopped answering, or serves another chain."""
        self._silent_since = self._silent_since or self._clock.now()
        self._wrong_chain = str(error) if isinstance(error, WrongChain) else None

    def node_returned(self) -> None:
        """Record that the node answers again."""
        self._silent_since = self._wrong_chain = None

    def check(self, head: Block | None, followed: int = 0) -> None:
        """Judge the newest head now; None before the first.

        `followed` is the newest followed block, 0 when it is not known to be on the chain. A reorganisation lowers it.
        """
        now = self._clock.now()
        if head is None or head.number >= followed:
            self._behind_since = None
        else:
            self._behind_since = self._behind_since or now
        found = self._problem(head, followed, now)
        reason = found[1] if found is not None else None
        details: dict[str, object] = {"latestBlock": head.number} if head is not None else {}
        if reason is None:
            self._first_failure = None
        else:
            self._first_failure = self._first_failure or now
            details |= {"reason": reason, "firstFailure": self._first_failure}
        if (problem := self._wrong_chain or reason or self._silence(now)) is None:
            self._report.works(**details)
        else:
            sort = WRONG if self._wrong_chain else UNREACHABLE
            self._report.fails(DependencyProblem(problem, kind=sort), **details)
        kind = found[0] if found is not None else None
        if (found is None) is not self.up or kind is not self._reported_problem:
            self.up, self._reported_problem = found is None, kind
            level = logging.INFO if self.up else logging.WARNING
            log.log(level, "chain.health_changed", up=self.up, reason=reason)
            self._submit(ChainHealthChanged(True) if found is None else ChainHealthChanged(False, *found))

    def _silence(self, now: float) -> str | None:
        """Return the problem for health before the threshold that stops the work; None while there is none."""
        if self._silent_since is None or now - self._silent_since < _NAMED_AFTER_S:
            return None
        return f"the node has not answered for {now - self._silent_since:.0f} s"

    def _problem(self, head: Block | None, followed: int, now: float) -> tuple[ChainProblem, str] | None:
        """Return why core cannot rely on the node, with its kind; None while it can."""
        if self._wrong_chain is not None:
            return ChainProblem.ANOTHER_CHAIN, self._wrong_chain
        if head is None:
            return ChainProblem.SILENT, "no block seen yet"
        if self._silent_since is not None and now - self._silent_since > self._threshold_s:
            return ChainProblem.SILENT, f"the node has not answered for more than {self._threshold_s:g} s"
        if self._behind_since is not None and now - self._behind_since > self._threshold_s:
            return ChainProblem.BEHIND, (
                f"the node's newest block is {head.number}, but block {followed} was followed; "
                "it lost blocks, or was replaced by another node"
            )
        return None
