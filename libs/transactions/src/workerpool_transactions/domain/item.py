"""An entry in flight, with what the nodes last said about it."""

from dataclasses import dataclass, field
from enum import Enum

from workerpool_transactions.domain.answers import SendOutcome
from workerpool_transactions.domain.counting import Repeated
from workerpool_transactions.domain.entry import Entry, Version

OTHERS_CHECK_S = 5.0
"""Seconds between two checks of a waiting transaction that is not the wallet's lowest."""


class Wanted(Enum):
    """Why an entry needs another version."""

    FEE = "fee"
    """No node takes the latest version at today's fee."""
    REPLACEMENT = "replacement"
    """A node has it, and it waits too long."""
    EMPTY = "empty"
    """The nodes refuse the call itself, or its work was handed back: an empty transfer uses the nonce."""


@dataclass(eq=False, slots=True)
class Item:
    """An entry in flight. All times are monotonic seconds."""

    entry: Entry
    due_at: float | None
    """When to send the latest version; None while a node has it, and while a new version is wanted."""
    is_sending: bool = False
    """Whether an answer to a send is outstanding."""
    is_ending: bool = False
    """Whether its end is being settled: it needs no send and no version."""
    wanted: Wanted | None = None
    refusal: SendOutcome | None = None
    """The last refusal; None once a node accepted the latest version."""
    failures: int = 0
    """Refusals of the same kind in a row."""
    invalid: Repeated = field(default_factory=Repeated)
    """Answers that call the transaction itself invalid, since a node accepted it last."""
    has_waited_since: float | None = None
    """When a node first had the latest version, or an earlier one that it does not replace."""
    waits_from_block: int = 0
    """The newest known block at that time."""
    known_at: float | None = None
    """When a node last had a version, as far as is known; None when it has none."""
    unseen_since: float | None = None
    """When its nonce was first found used without a receipt of any version."""
    unseen: int = 0
    """How often that was found since."""

    @property
    def nonce(self) -> int:
        """The nonce of the entry."""
        return self.entry.nonce

    def renewed(self, entry: Entry, due_at: float) -> None:
        """Take another form of the entry, whose latest version is to be sent at `due_at`."""
        self.entry, self.due_at = entry, due_at
        self.wanted = self.has_waited_since = self.known_at = None
        self.invalid.reset()

    def waits(self, version: Version, now: float, block: int) -> None:
        """Note that a node has `version`, or another one of the same nonce."""
        if self.has_waited_since is None:
            self.has_waited_since, self.waits_from_block = now, block
        self.known_at = now
        self.failures, self.refusal = 0, None
        self.invalid.reset()
        if version.hash == self.entry.latest.hash:
            self.due_at, self.wanted = None, None

    def check_at(self, is_lowest: bool, first_after_s: float) -> float | None:
        """Return when to check that the node still has a version; None when it is not known to have one.

        The lowest nonce blocks the others, so it is checked more often.
        """
        if self.known_at is None or self.has_waited_since is None or self.is_sending:
            return None
        waited = self.known_at - self.has_waited_since
        pause = min(max(waited / 2, first_after_s), OTHERS_CHECK_S) if is_lowest else OTHERS_CHECK_S
        return self.known_at + (first_after_s if waited == 0 else pause)

    def lost(self, now: float) -> None:
        """Note that the node has no version any more: the same bytes are sent again."""
        self.known_at, self.due_at = None, now

    def displaced(self, now: float) -> None:
        """Note one sighting of its nonce as used, without a receipt of any version."""
        if self.unseen_since is None:
            self.unseen_since, self.unseen = now, 0
        self.unseen += 1

    def believed(self) -> None:
        """Forget such sightings: its nonce is not used, or a node knows a version."""
        self.unseen_since, self.unseen = None, 0
