"""The invariants that hold at every step: what is journaled, settled and sent."""

from collections.abc import Iterable, Mapping, Sequence

from workerpool_poco.protocol.ids import Hex

from workerpool_transactions.domain.entry import Entry, EntryState, Version
from workerpool_transactions.domain.profile import Shape
from workerpool_transactions.simulation.chain.blocks import Chain
from workerpool_transactions.simulation.chain.signed import Signed, read
from workerpool_transactions.simulation.checks.violation import Violation
from workerpool_transactions.simulation.environment import Environment
from workerpool_transactions.simulation.terms import CAP

_DECISION_READS = 10
"""More than the pipeline's reads of the node between the count of mined transactions and the write of a filler."""


class Checks:
    """Watches journal and node; a broken invariant ends the seed."""

    def __init__(self, environment: Environment, chain: Chain) -> None:
        self._environment = environment
        self._chain = chain
        self.journal: Mapping[int, Entry] = {}
        self.invalid: set[bytes] = set()
        """Data of the calls that every node refuses."""
        self._settled: set[tuple[int, EntryState, Hex]] = set()
        self._sent: set[int] = set()

    # --- the caller --------------------------------------------------------------------------

    def settled(self, entries: Iterable[Entry]) -> None:
        """Note that the caller has stored how entries ended."""
        self._settled.update(map(_end_of, entries))

    # --- the journal -------------------------------------------------------------------------

    def added(self, entries: Sequence[Entry], before: Mapping[int, Entry], began: float) -> None:
        """Check new entries, whose write the pipeline began at a time (seconds of the loop)."""
        for each in entries:
            held = before.get(each.nonce)
            if held is not None:
                if held.versions[0].hash != each.versions[0].hash:
                    self._fail(f"nonce {each.nonce} was given to another call")
                continue
            self._environment.note("journal.added", nonce=each.nonce, labels=each.call.labels)
            self._check_versions(each, each.versions)
            if each.is_filler:
                self._check_filler(each, before, began)

    def saved(self, entries: Sequence[Entry], before: Mapping[int, Entry]) -> None:
        """Check new forms of entries."""
        for each in entries:
            old = before.get(each.nonce)
            fields = {"nonce": each.nonce, "state": each.state.value, "versions": len(each.versions)}
            self._environment.note("journal.saved", **fields)
            if old is None:
                self._fail(f"nonce {each.nonce} was saved and never added")
                return
            self._check_call(each, old)
            if each.versions[: len(old.versions)] != old.versions:
                self._fail(f"a version of nonce {each.nonce} was forgotten")
            self._check_versions(each, each.versions[len(old.versions) :])
            if not each.is_live:
                self._check_end(each)

    def _check_call(self, entry: Entry, old: Entry) -> None:
        if entry.call == old.call:
            return
        may_hand_back = old.state in (EntryState.DISPLACED, EntryState.REFUSED)
        if not (may_hand_back and entry.is_filler and entry.call.data == old.call.data):
            self._fail(f"nonce {entry.nonce} carries another call now")

    def _check_versions(self, entry: Entry, versions: Iterable[Version]) -> None:
        for each in versions:
            signed = read(each.raw)
            if signed.nonce != entry.nonce:
                self._fail(f"nonce {entry.nonce} got a version with nonce {signed.nonce}")
            if each.is_empty != signed.is_empty:
                self._fail(f"a version of nonce {entry.nonce} is wrongly called empty")
            if not each.is_empty and (signed.to, signed.data) != (entry.call.to, entry.call.data):
                self._fail(f"nonce {entry.nonce} carries another call")
            if each.is_empty and not entry.is_filler and entry.call.data not in self.invalid:
                self._fail(f"nonce {entry.nonce} is burnt, although its call could be mined")

    def _check_filler(self, filler: Entry, before: Mapping[int, Entry], began: float) -> None:
        if filler.nonce in before:
            self._fail(f"a filler took nonce {filler.nonce}, which an entry holds")
        if not any(each.is_live and each.nonce > filler.nonce for each in before.values()):
            self._fail(f"a filler used nonce {filler.nonce}, which holds back nothing")
        # Another program may use the nonce between the pipeline's last look and the write, which an outage delays.
        # Several looks agree before a filler, so a back-end that lags in one of them is no excuse.
        seen = self._chain.head_at(began - _DECISION_READS * self._environment.latency_s)
        if filler.nonce < seen.count and not self._environment.faults.reorganisations:
            self._fail(f"a filler for nonce {filler.nonce}, which was used before the decision")

    def _check_end(self, entry: Entry) -> None:
        if not entry.is_filler and _end_of(entry) not in self._settled:
            self._fail(f"nonce {entry.nonce} ended as {entry.state} in the journal before it was settled")
        if entry.state is not EntryState.DISPLACED or self._environment.faults.reorganisations:
            return
        head = self._chain.head
        mined = head.mined.get(entry.nonce)
        if mined is None:
            self._fail(f"nonce {entry.nonce} was called displaced while it was unused")
        elif any(version.hash == mined.hash for version in entry.versions):
            self._fail(f"nonce {entry.nonce} was called displaced while its own transaction was mined")

    # --- the node ----------------------------------------------------------------------------

    def seen(self, sent: Signed, raw: bytes) -> None:
        """Check a transaction that reaches the node."""
        self._environment.note("node.received", nonce=sent.nonce, fee=sent.max_fee, tip=sent.tip)
        entry = self.journal.get(sent.nonce)
        if entry is None or all(version.raw != raw for version in entry.versions):
            self._fail(f"nonce {sent.nonce} was sent with bytes that the journal lacks")
            return
        cap = 0 if self._environment.shape is Shape.FREE else CAP
        if sent.max_fee > cap or (sent.tip or 0) > sent.max_fee:
            self._fail(f"nonce {sent.nonce} offers {sent.max_fee}, above the cap of {cap}")
        if sent.nonce not in self._sent:
            self._sent.add(sent.nonce)
            self._check_order(entry)

    def _check_order(self, entry: Entry) -> None:
        # Nothing is sent for a nonce that another program has used, although its entry is live until it is settled.
        unused = self._chain.head.count
        for nonce, each in self.journal.items():
            is_due = unused <= nonce < entry.nonce and nonce not in self._sent
            if is_due and each.is_live and not each.is_filler:
                self._fail(f"nonce {entry.nonce} was sent before nonce {nonce}")

    def _fail(self, what: str) -> None:
        self._environment.note("violation", what=what)
        self._environment.fail(Violation(what))


def _end_of(entry: Entry) -> tuple[int, EntryState, Hex]:
    return entry.nonce, entry.state, entry.receipt.block_hash if entry.receipt else Hex("")
