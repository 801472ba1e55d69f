"""What the wallet's transaction counts say, from nodes that may lag: counts that rise, go back, and leave gaps."""

from dataclasses import dataclass
from typing import NamedTuple

from workerpool_transactions.domain.answers import Counts

CONFIRM_S = 3.0
CONFIRM_ANSWERS = 3
"""A surprise counts after so many answers in a row over so many seconds: nodes behind one address may lag."""
BLOCKED_AFTER_S = 5.0
"""After this time something is done about a nonce below those in flight that is not mined."""
STUCK_AFTER_S = 60.0
STUCK_BLOCKS = 5
"""A transaction of another program that blocks those in flight for so long, and so many blocks, is replaced.

Its fee may be too low for hours, and the journal has no version of it that could pay more.
"""


@dataclass(slots=True)
class Repeated:
    """An observation that counts only once it is repeated."""

    since: float | None = None
    answers: int = 0
    value: int = 0
    """The highest value seen."""

    def seen(self, now: float, value: int = 0) -> None:
        """Note one more observation."""
        if self.since is None:
            self.since, self.answers, self.value = now, 0, value
        self.answers += 1
        self.value = max(self.value, value)

    def same(self, now: float, value: int) -> None:
        """Note one more observation; only those since the last other value count."""
        if value != self.value:
            self.answers, self.value = 0, value
        self.seen(now, value)

    def reset(self) -> None:
        """Forget the observations: an answer contradicts them."""
        self.since, self.answers = None, 0

    def holds(self, now: float, after_s: float, answers: int = CONFIRM_ANSWERS) -> bool:
        """Return whether enough answers over `after_s` seconds agree."""
        return self.since is not None and self.answers >= answers and now - self.since >= after_s


class Block(NamedTuple):
    """What holds back the entries in flight: a nonce below them that is not mined."""

    nonce: int
    """The next nonce to be mined."""
    unused: int | None
    """The nonce from which on no node has a transaction; None when one waits for each nonce below those in flight."""
    is_stuck: bool = False
    """Whether `nonce` was the next one for so long that what waits for it must be replaced."""


class Counting:
    """The believed number of mined transactions, and what blocks those in flight."""

    def __init__(self) -> None:
        self.mined = 0
        """Nonces below are used, as far as is known."""
        self._lower = Repeated()
        self._blocked = Repeated()
        self._unused = Repeated()
        self._next = Repeated()
        """How long the same nonce has been the next one."""
        self._next_from_block = 0

    def counted(self, counts: Counts, now: float) -> None:
        """Take an answer. A lower count is believed once it is repeated."""
        if counts.mined >= self.mined:
            self.mined = counts.mined
            self._lower.reset()
            return
        self._lower.seen(now, counts.mined)
        if self._lower.holds(now, CONFIRM_S):
            self.mined = self._lower.value
            self._lower.reset()

    def block(self, counts: Counts, lowest: int | None, now: float) -> Block | None:
        """Return what blocks those in flight, once that is certain enough; None while nothing does.

        Args:
            counts: the newest answer, already passed to `counted`.
            lowest: the lowest nonce in flight.
            now: monotonic seconds.
        """
        if lowest is None or self.mined >= lowest:
            for each in (self._blocked, self._unused, self._next):
                each.reset()
            return None
        is_stuck = self._is_stuck(counts, now)
        if self._blocked.since is not None and self.mined > self._blocked.value:
            # Something below was mined: the nodes move, so wait for them.
            self._blocked.reset()
        self._blocked.seen(now, self.mined)
        expected = max(self.mined, counts.mined, counts.pending)
        if expected >= lowest:
            self._unused.reset()
        else:
            self._unused.same(now, expected)
        if not self._blocked.holds(now, BLOCKED_AFTER_S):
            return None
        unused = self._unused.value if self._unused.holds(now, BLOCKED_AFTER_S) else None
        # What is done about it needs time too.
        self._blocked.reset()
        self._unused.reset()
        return Block(self.mined, unused, is_stuck)

    def _is_stuck(self, counts: Counts, now: float) -> bool:
        if self._next.since is None or self._next.value != self.mined:
            self._next.reset()
            self._next_from_block = counts.block_number
        self._next.seen(now, self.mined)
        # Without blocks there is nothing that a higher offer could win.
        has_blocks = counts.block_number - self._next_from_block >= STUCK_BLOCKS
        return has_blocks and self._next.holds(now, STUCK_AFTER_S)
