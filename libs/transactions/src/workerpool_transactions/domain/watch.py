"""Mined entries, watched while a reorganisation may still remove them.

A node rarely returns a reorganised transaction to its pool by itself. A head that is not a child of the one before
therefore raises a doubt. When heads were skipped, a look costs few receipts: while the newest entry that was mined
before them is still in the same block, all below are. One that came since vouches for itself only, because it may be of
the new branch. The node that answers a look may lag and still be on the old branch, so the entry that vouches is read
again when no node lags that far.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence

from workerpool_poco.protocol.ids import Hex
from workerpool_poco.protocol.model import REORGANISATION_BLOCKS, Block

from workerpool_transactions.domain.branch import Branch, Step
from workerpool_transactions.domain.counting import Repeated
from workerpool_transactions.domain.doubts import SKIPPED_HEADS_S, Doubts
from workerpool_transactions.domain.entry import Entry, EntryState, Receipt

WATCHED_S = 60.0
"""Without the `finalized` tag, an entry is final at 64 blocks and after this time: 64 blocks may be 16 seconds."""
VANISHED_AFTER_S = 2.0
"""A mined entry counts as reorganised when all readings of this time find it gone: a node may lag."""
VANISHING_LOOK_S = 0.5
"""How often it is read meanwhile."""
VERIFIED_AFTER_S = 30.0
_VERIFY_PAUSE_S = 2.0
"""A receipt whose block was no head, or that vouches for others after skipped heads, is read again after this time.

It may be of an old branch, and a node that lags confirms it until then.
"""
_MOST_SKIPPED = 64
"""Occasions of skipped heads that are told apart; later ones count as one with the last."""


class Watch:
    """The mined entries that are not final. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._entries: dict[int, Entry] = {}
        self._since: dict[int, float] = {}
        self._vanished: dict[int, Repeated] = {}
        self._unverified: set[int] = set()
        self._vouching: dict[int, float] = {}
        """The entries that vouch for those below after skipped heads, each with when heads were skipped last."""
        self._finalized = -1
        self._has_tag = False
        self._looked_at = 0.0
        self._head_at = 0.0
        self._unskipped: deque[tuple[float, float]] = deque()
        """When heads were skipped that no look covers yet, each with the time of the last head before."""
        self.branch = Branch()
        self.doubts = Doubts()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def highest(self) -> int | None:
        """The highest watched nonce."""
        return max(self._entries, default=None)

    def put(self, entries: Iterable[Entry], now: float) -> None:
        """Watch the entries among these that are mined and succeeded; a reverted one has no effect to lose."""
        for each in entries:
            if each.state is EntryState.MINED:
                self._entries[each.nonce] = each
                self._since[each.nonce] = now
                self._unverified.add(each.nonce)
                self.doubts.added(now)
        self._compare_with_heads(now)

    def remove(self, nonces: Iterable[int]) -> None:
        """Stop watching entries."""
        for nonce in list(nonces):
            self._entries.pop(nonce, None)
            self._since.pop(nonce, None)
            self._vanished.pop(nonce, None)
            self._unverified.discard(nonce)
            self._vouching.pop(nonce, None)

    def follow(self, head: Block, finalized: int | None, now: float) -> None:
        """Take a new head, and the number of the newest final block; None while the node reports none."""
        self._has_tag = finalized is not None
        if finalized is not None:
            self._finalized = max(self._finalized, finalized)
        step = self.branch.follow(head)
        if step is Step.CONTRADICTS or (step is Step.FIRST and self._entries):
            # What happened while the process was down is not known either.
            self.doubts.trouble(now)
        if step is Step.SKIPPED:
            self.doubts.skipped(now)
            self._note_skipped(now)
            self._doubt_newest(now)
        if step is not Step.SAME:
            self._head_at = now
        self._compare_with_heads(now)
        if not self._entries:
            self.doubts.clear()
        elif not self.is_due(now):
            self._forget_final(now)

    def _note_skipped(self, now: float) -> None:
        before = self._head_at
        if not self._entries:
            self._unskipped.clear()
        elif len(self._unskipped) == _MOST_SKIPPED:
            _, before = self._unskipped.pop()
        self._unskipped.append((now, before))

    def _doubt_newest(self, now: float) -> None:
        """Have the newest entry verified that was mined before the skipped heads."""
        new = {n for n in self._unverified if self._since[n] > self._head_at}
        older = [each for n, each in self._entries.items() if n not in new]
        if older:
            self._vouching[max(older, key=_place).nonce] = now

    def _compare_with_heads(self, now: float) -> None:
        """Verify receipts by the heads, which costs nothing."""
        for nonce in self._unverified | self._vouching.keys():
            holds = self.branch.holds(self._entries[nonce].receipt)
            if holds:
                self._unverified.discard(nonce)
                self._vouching.pop(nonce, None)
            elif holds is False:
                self.doubts.trouble(now)

    # --- looks -------------------------------------------------------------------------------

    def is_due(self, now: float) -> bool:
        """Return whether the mined entries must be read now."""
        at = self.next_look()
        return at is not None and at <= now

    def next_look(self) -> float | None:
        """Return when the mined entries must be read; None without a doubt."""
        if not self._entries:
            return None
        if self._vanished:
            return self._looked_at + VANISHING_LOOK_S
        at = self.doubts.next_look(max(self._since.values()))
        oldest = min((since for _, since in self._to_verify()), default=None)
        if oldest is not None:
            verify_at = max(oldest + VERIFIED_AFTER_S, self._looked_at + _VERIFY_PAUSE_S)
            return verify_at if at is None else min(at, verify_at)
        return at

    def _to_verify(self) -> Iterator[tuple[int, float]]:
        """Yield the nonces whose receipts may be of an old branch, each with since when."""
        yield from ((nonce, self._since[nonce]) for nonce in self._unverified)
        yield from self._vouching.items()

    def needs_all(self, now: float) -> bool:
        """Return whether all entries must be read: their receipts may be of different branches."""
        return bool(self._vanished) or self.doubts.is_troubled(now)

    def looking(self, now: float) -> None:
        """Note that the chain is about to be read."""
        self._looked_at = now
        self.doubts.looking(now)

    def looked(self, now: float) -> None:
        """Note that the chain was read and what it said is recorded."""
        self.doubts.looked(now)
        # What stood long enough after skipped heads vouches for what is below: it was read itself, or vouched for.
        while self._unskipped and self._looked_at - self._unskipped[0][0] >= SKIPPED_HEADS_S:
            self._unskipped.popleft()
        if self.next_look() is None:
            self._forget_final(now)

    @property
    def is_vanishing(self) -> bool:
        """Whether the last reading found an entry gone, which further ones must confirm."""
        return bool(self._vanished)

    def sample(self, now: float) -> list[Entry]:
        """Return the entries that vouch for the others, and those that nothing vouches for."""
        nonces = {n for n, since in self._to_verify() if since + VERIFIED_AFTER_S <= now}
        if self._unskipped:
            nonces |= {n for n, since in self._since.items() if since > self._unskipped[0][1]}
        older = [each for n, each in self._entries.items() if n not in nonces]
        if older:
            nonces.add(max(older, key=_place).nonce)
        return [self._entries[nonce] for nonce in sorted(nonces)]

    def entries(self) -> list[Entry]:
        """Return all watched entries, by nonce."""
        return [self._entries[nonce] for nonce in sorted(self._entries)]

    def stand(self, sample: Sequence[Entry], receipts: Mapping[Hex, Receipt], now: float) -> bool:
        """Return whether the sampled entries are certainly in the blocks that they were in.

        An answer that some are not raises a doubt: a node that lags may deny it right afterwards.
        """
        if not all(_stands(each, receipts) for each in sample):
            self.doubts.contradicted()
            return False
        self._verified(sample, now)
        return True

    def compared(self, receipts: Mapping[Hex, Receipt], now: float) -> tuple[list[Entry], list[Entry]]:
        """Compare all watched entries with the receipts of their versions.

        Return the entries that another block contains now, with that receipt, and the entries that vanished.
        """
        moved, gone = [], []
        for each in self.entries():
            receipt = next((receipts[v.hash] for v in each.versions if v.hash in receipts), None)
            if receipt is not None and receipt.succeeded:
                self._vanished.pop(each.nonce, None)
                if not _same_block(receipt, each.receipt):
                    moved.append(each.ended(each.state, each.updated_at, receipt))
                continue
            readings = self._vanished.setdefault(each.nonce, Repeated())
            readings.seen(now)
            if readings.holds(now, VANISHED_AFTER_S):
                gone.append(each)
        if moved or gone:
            self.doubts.trouble(now)
        self._verified(self._entries.values(), now)
        return moved, gone

    def moved(self, entries: Iterable[Entry]) -> None:
        """Take entries with the receipts of their new blocks."""
        self._entries.update({each.nonce: each for each in entries if each.nonce in self._entries})

    def _verified(self, entries: Iterable[Entry], now: float) -> None:
        # Entries may have become final while the chain was read.
        for nonce in {each.nonce for each in entries} & self._entries.keys():
            if self._since[nonce] + VERIFIED_AFTER_S <= now:
                self._unverified.discard(nonce)
            if self._vouching.get(nonce, now) + VERIFIED_AFTER_S <= now:
                del self._vouching[nonce]

    # --- finality ----------------------------------------------------------------------------

    def _forget_final(self, now: float) -> None:
        final = {nonce for nonce, each in self._entries.items() if self._is_final(each, now)}
        self.remove(final - self._unverified)

    def _is_final(self, entry: Entry, now: float) -> bool:
        number = entry.receipt.block_number if entry.receipt else 0
        if self._has_tag or number <= self._finalized:
            return number <= self._finalized
        head = self.branch.newest.number if self.branch.newest else 0
        return head - number > REORGANISATION_BLOCKS and now - self._since[entry.nonce] >= WATCHED_S


def _place(entry: Entry) -> tuple[int, int]:
    return (entry.receipt.block_number if entry.receipt else 0, entry.nonce)


def _stands(entry: Entry, receipts: Mapping[Hex, Receipt]) -> bool:
    found = entry.receipt and receipts.get(entry.receipt.hash)
    return bool(found and found.succeeded and found.block_hash and _same_block(found, entry.receipt))


def _same_block(one: Receipt, other: Receipt | None) -> bool:
    if other is None or one.block_number != other.block_number:
        return False
    # A journal of an older release, or a node, may lack the hash.
    return one.block_hash == other.block_hash or not (one.block_hash and other.block_hash)
