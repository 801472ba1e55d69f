"""What a look at the chain means for the entries in flight: which ended, which are lost, which wait too long."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from workerpool_poco.protocol.ids import Hex

from workerpool_transactions.domain.counting import CONFIRM_ANSWERS
from workerpool_transactions.domain.entry import Entry, EntryState, Receipt
from workerpool_transactions.domain.item import Item, Wanted

DISPLACED_AFTER_S = 5.0
"""A used nonce without a receipt of any version counts as used by another transaction after this time."""
REPLACE_AFTER_BLOCKS = 5
_MIN_BLOCKS = 2


@dataclass(frozen=True, slots=True)
class End:
    """How an entry ended."""

    nonce: int
    state: EntryState
    receipt: Receipt | None = None

    def of(self, entry: Entry, now: float) -> Entry:
        """Return the entry in its final state; `now` in Unix seconds."""
        return entry.ended(self.state, now, None if self.state is EntryState.REFUSED else self.receipt)


def mined_ends(past: Iterable[Item], receipts: Mapping[Hex, Receipt]) -> list[End]:
    """Return the ends of the entries of which a version is mined."""
    return [
        End(each.nonce, _state(each.entry, receipt), receipt)
        for each in past
        if (receipt := receipt_of(each.entry, receipts)) is not None
    ]


def receipt_of(entry: Entry, receipts: Mapping[Hex, Receipt]) -> Receipt | None:
    """Return the receipt of the version that is mined."""
    return next((receipts[each.hash] for each in entry.versions if each.hash in receipts), None)


def _state(entry: Entry, receipt: Receipt) -> EntryState:
    mined = next(each for each in entry.versions if each.hash == receipt.hash)
    if mined.is_empty and not entry.is_filler:
        return EntryState.REFUSED
    return EntryState.MINED if receipt.succeeded else EntryState.REVERTED


def unused(items: Iterable[Item], mined: int) -> None:
    """Forget the sightings of nonces that are not used any more."""
    for each in items:
        if each.nonce >= mined:
            each.believed()


def suspects(past: Iterable[Item], mined: int, ended: Iterable[End], now: float) -> list[Item]:
    """Note which used nonces have no receipt, and return those for which that is certain enough.

    Args:
        past: the items whose nonces are believed to be used.
        mined: the count of the newest answer, which may be lower than the believed one.
        ended: the ends found by the same look.
        now: monotonic seconds.
    """
    nonces = {each.nonce for each in ended}
    certain = []
    for each in past:
        if each.nonce in nonces or each.nonce >= mined:
            # An answer that lags proves nothing.
            continue
        each.displaced(now)
        since = each.unseen_since or 0.0
        if each.unseen >= CONFIRM_ANSWERS and now - since >= DISPLACED_AFTER_S:
            certain.append(each)
    return certain


def checks(waiting: Sequence[Item], first_after_s: float, now: float) -> list[Item]:
    """Return the items to check now: does the node still have them?"""
    due = []
    for position, each in enumerate(waiting):
        at = each.check_at(position == 0, first_after_s)
        if at is not None and at <= now:
            due.append(each)
    return due


def checked(waiting: Sequence[Item], asked: Iterable[Item], known: set[Hex], now: float) -> None:
    """Take the answer: what the node does not know is sent again, as the same bytes."""
    for each in asked:
        if each.is_sending or each.known_at is None:
            continue
        if any(version.hash in known for version in each.entry.versions):
            each.known_at = now
            continue
        each.lost(now)
        if each is waiting[0]:
            # The node probably lost those above it too.
            for other in waiting[1:]:
                if other.known_at is not None:
                    other.known_at = min(other.known_at, now - 10 * DISPLACED_AFTER_S)


def mark_stuck(lowest: Item, block: int, replace_after_s: float, now: float) -> bool:
    """Request a replacement of the lowest unmined entry if a node has held it too long. Return whether it has."""
    since = lowest.has_waited_since
    if since is None or lowest.known_at is None or lowest.wanted is not None or lowest.is_sending:
        return False
    # Without blocks there is nothing that a higher offer could win.
    if now - since < replace_after_s or block - lowest.waits_from_block < _MIN_BLOCKS:
        return False
    lowest.wanted = Wanted.REPLACEMENT
    return True
