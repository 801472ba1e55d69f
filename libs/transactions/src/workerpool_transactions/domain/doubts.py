"""Doubts whether mined transactions are still mined: what raises one, how often the chain is read, what ends it."""

from workerpool_transactions.domain.counting import CONFIRM_ANSWERS, CONFIRM_S, Repeated

TROUBLE_S = 30.0
"""After a reorganisation nodes that lag may give receipts of the old branch for this time."""
_TROUBLE_LOOK_S = TROUBLE_S / 3
SKIPPED_HEADS_S = 2.0
"""Between two looks, and from skipped heads to the look that covers them: a node may lag."""
_SKIPPED_HEADS_LONGEST_S = 60.0


class Doubts:
    """Times are monotonic seconds."""

    def __init__(self) -> None:
        self._stands: Repeated | None = None
        self._skipped = self._skipped_when_looking = self._skipped_when_looked = 0
        """How often heads were skipped: until now, until the last look began, and until the last that ended."""
        self._skipped_at = self._first_skipped_at = -SKIPPED_HEADS_S
        """When heads were skipped last, and first since a look that covers the skipped ones before."""
        self._troubled_until = 0.0
        self._looked_at = 0.0

    @property
    def has_skipped(self) -> bool:
        """Whether heads were skipped that no look covers yet."""
        return self._skipped > self._skipped_when_looked

    def skipped(self, now: float) -> None:
        """Note that heads were skipped."""
        if not self.has_skipped:
            self._first_skipped_at = now
        self._skipped += 1
        self._skipped_at = now

    def doubt(self) -> None:
        """Have the chain read until several answers agree: the first may come from a node that lags."""
        self._stands = self._stands or Repeated()

    def contradicted(self) -> None:
        """Note that a node gave another answer than expected: the agreement of several begins again."""
        self._stands = Repeated()

    def added(self, now: float) -> None:
        """Note that a receipt was read: in trouble it counts once several answers agree."""
        if self.is_troubled(now):
            self._stands = Repeated()

    def trouble(self, now: float) -> None:
        """Note a reorganisation: what was read before counts no longer."""
        self._stands, self._troubled_until = Repeated(), now + TROUBLE_S

    def is_troubled(self, now: float) -> bool:
        """Return whether receipts may be of another branch than the newest head."""
        return now < self._troubled_until

    def next_look(self, newest_at: float) -> float | None:
        """Return when the chain must be read; None without a doubt. `newest_at`: when the newest entry was mined."""
        if self._stands is not None:
            pause = CONFIRM_S / CONFIRM_ANSWERS
            if self._looked_at < self._troubled_until:
                # Each look reads everything, and a node may lag for long.
                pause = min(pause * 2 ** max(self._stands.answers - 1, 0), _TROUBLE_LOOK_S)
            return self._looked_at + (pause if self._stands.answers else 0)
        if self.has_skipped:
            age = max(self._looked_at - newest_at, 0.0)
            pause = min(max(age / 10, SKIPPED_HEADS_S), _SKIPPED_HEADS_LONGEST_S)
            return max(self._looked_at + pause, self._first_skipped_at + SKIPPED_HEADS_S)
        return None

    def looking(self, now: float) -> None:
        """Note that the chain is about to be read. Without `looked` afterwards, what was doubted still is."""
        self._looked_at = now
        is_covered = now - self._skipped_at >= SKIPPED_HEADS_S
        self._skipped_when_looking = self._skipped if is_covered else self._skipped - 1

    def looked(self, now: float) -> None:
        """Note that the chain was read and what it said is recorded: enough of it ends a doubt."""
        self._skipped_when_looked = max(self._skipped_when_looking, self._skipped_when_looked)
        self._first_skipped_at = self._skipped_at
        if self._stands is not None:
            self._stands.seen(now)
            if self._stands.holds(now, CONFIRM_S) and not self.is_troubled(now):
                self._stands = None

    def clear(self) -> None:
        """End a doubt that concerns nothing."""
        self._stands, self._skipped_when_looked = None, self._skipped
