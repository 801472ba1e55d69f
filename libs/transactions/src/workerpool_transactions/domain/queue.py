"""The send queue of one wallet: what is sent next, and what an answer changes. No clock, no I/O."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence

from workerpool_transactions.domain.answers import SendAnswer, SendOutcome
from workerpool_transactions.domain.entry import Entry, Offer, Version
from workerpool_transactions.domain.fee_hold import FeeHold
from workerpool_transactions.domain.item import Item, Wanted
from workerpool_transactions.domain.steering import Brake, steer


class Queue:
    """The entries in flight, by nonce. Times are monotonic seconds.

    Sends go in nonce order. Only the lowest `window` nonces are sent; further entries are journaled and wait.
    """

    def __init__(self, window: int) -> None:
        self._window = window
        self._items: dict[int, Item] = {}
        self._order: list[int] = []
        self.brake = Brake()
        self.fee_hold = FeeHold()
        self.block = 0
        """The newest block that a node has named."""

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, nonce: int) -> bool:
        return nonce in self._items

    def get(self, nonce: int) -> Item | None:
        """Return the item of a nonce, if it is in flight."""
        return self._items.get(nonce)

    @property
    def room(self) -> int:
        """How many more entries may be in flight."""
        return max(self._window - len(self._items), 0)

    @property
    def lowest(self) -> int | None:
        """The lowest nonce in flight."""
        return self._order[0] if self._order else None

    @property
    def highest(self) -> int | None:
        """The highest nonce in flight."""
        return self._order[-1] if self._order else None

    def in_order(self) -> list[Item]:
        """Return all items, lowest nonce first."""
        return [self._items[nonce] for nonce in self._order]

    def in_window(self) -> list[Item]:
        """Return the items that may be sent, lowest nonce first."""
        return [self._items[nonce] for nonce in self._order[: self._window]]

    def below(self, nonce: int) -> list[Item]:
        """Return the items with lower nonces, lowest first."""
        return [self._items[each] for each in self._order[: bisect_left(self._order, nonce)]]

    def put(self, entries: Iterable[Entry], now: float) -> list[Item]:
        """Add journaled entries, to be sent at once."""
        added = []
        for entry in entries:
            if entry.nonce not in self._items:
                insort(self._order, entry.nonce)
                item = Item(entry, now)
                if entry.is_filler and not entry.latest.is_empty:
                    # Its work was handed back: another nonce may already do it.
                    item.due_at, item.wanted = None, Wanted.EMPTY
                self._items[entry.nonce] = item
                added.append(item)
        return added

    def drop(self, nonces: Iterable[int]) -> None:
        """Remove entries that have ended."""
        for nonce in nonces:
            if self._items.pop(nonce, None) is not None:
                del self._order[bisect_left(self._order, nonce)]
                self.fee_hold.ended(nonce)

    # --- sending -------------------------------------------------------------

    def next_send(self, now: float) -> Item | None:
        """Return the item to send now: the lowest that is due, unless the wallet pauses."""
        if now < self.brake.until:
            return None
        return next((each for each in self._sendable() if (each.due_at or 0.0) <= now), None)

    def next_due(self) -> float | None:
        """Return when the next send is due; None when none is planned."""
        dues = [each.due_at for each in self._sendable() if each.due_at is not None]
        return max(min(dues), self.brake.until) if dues else None

    def started(self, item: Item, now: float) -> Version:
        """Note that the latest version of an item is being sent, and return it."""
        item.is_sending = True
        if self.brake.parked_reason or self.brake.failures:
            # Until its answer says otherwise, one try at a time.
            self.brake.hold(now)
        return item.entry.latest

    def answered(self, nonce: int, version: Version, answer: SendAnswer, now: float, at: float) -> bool:
        """Take the answer to a send; `now` in monotonic seconds, `at` in Unix seconds.

        Return whether the chain should be read at once.
        """
        item = self._items.get(nonce)
        if item is None:
            return False
        item.is_sending = False
        if self.fee_hold.answered(nonce, version, answer.outcome):
            self._raise_to(version.offer)
        if answer.outcome is SendOutcome.ACCEPTED:
            item.waits(version, now, self.block)
            item.entry = item.entry.sent(at)
            self.brake.release()
            self._wake_above(nonce, now)
            return True
        if answer.outcome is SendOutcome.REPLACEMENT_TOO_LOW:
            item.waits(version, now, self.block)
            item.refusal = answer.outcome
            return False
        return steer(item, version, answer, self.brake, now)

    def wanting(self) -> Sequence[Item]:
        """Return the items that need another version, lowest nonce first."""
        return [
            each
            for each in self.in_window()
            if each.wanted is not None
            and not each.is_ending
            and not (each.wanted is Wanted.FEE and self.fee_hold.holds(each))
        ]

    def give_up(self, item: Item, reason: str, now: float) -> None:
        """Note that the limits forbid another version: keep the present one, which a later fee may allow."""
        if item.wanted is Wanted.REPLACEMENT:
            item.has_waited_since, item.waits_from_block = now, self.block
        else:
            item.due_at = now
            self.brake.park(reason, now)
        item.wanted = None

    def _raise_to(self, offer: Offer) -> None:
        """Request new versions of items that no node has and that offer less than an accepted offer."""
        for each in self.in_window():
            is_idle = each.wanted is None and not each.is_sending and each.known_at is None
            if is_idle and each.entry.latest.offer.max_fee < offer.max_fee:
                each.wanted, each.due_at = Wanted.FEE, None

    def _wake_above(self, nonce: int, now: float) -> None:
        """Send those again at once that a node refused because this nonce was missing, or funds were."""
        for each in self.in_window():
            waits_for_it = each.refusal in (SendOutcome.NONCE_TOO_HIGH, SendOutcome.NO_FUNDS)
            if waits_for_it and each.nonce > nonce and each.due_at is not None:
                each.due_at = min(each.due_at, now)

    def _sendable(self) -> list[Item]:
        return [
            each
            for each in self.in_window()
            if each.due_at is not None
            and not (each.is_sending or each.is_ending)
            and not self.fee_hold.holds(each)
        ]
