"""The invariants of the transaction pipeline catch real mistakes: each planted bug makes at least one seed fail."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from simulation.planting import Plant, PlantedBugs
from workerpool_poco.protocol.ids import Hex
from workerpool_transactions.adapters.memory_journal import MemoryJournal
from workerpool_transactions.app import endings, intake, mined, sender, versions, watcher
from workerpool_transactions.app.context import Context
from workerpool_transactions.domain import counting, doubts, fees, looking, queue, steering, watch
from workerpool_transactions.domain.answers import FeeQuote, SendAnswer, SendOutcome
from workerpool_transactions.domain.entry import Entry, EntryState, Offer, Receipt, Version
from workerpool_transactions.domain.item import Item, Wanted
from workerpool_transactions.simulation.checks.violation import Violation
from workerpool_transactions.simulation.faults import Faults
from workerpool_transactions.simulation.seeds import silence
from workerpool_transactions.simulation.world import World

MAX_SEEDS = 2_000
BUGS = PlantedBugs[Faults]()
bug, seen_with = BUGS.bug, BUGS.seen_with


# --- journal ------------------------------------------------------------------------------


@bug
def sends_before_it_journals(patch: pytest.MonkeyPatch) -> None:
    """New transactions are in the send queue while the journal still writes them."""
    original = intake.Intake._journal

    async def hasty(self: intake.Intake, batch: Any) -> None:
        context = self._context
        context.queue.put(batch.entries, context.timer.time())
        context.send_now.set()
        await original(self, batch)

    patch.setattr(intake.Intake, "_journal", hasty)


@bug
def sends_a_replacement_before_it_journals_it(patch: pytest.MonkeyPatch) -> None:
    """A replacement is journaled after it is sent."""

    async def hasty(self: versions.Versions, made: Sequence[tuple[Item, Version]]) -> None:
        context = self._context
        renewed = [item.entry.replaced_by(version, context.clock.now()) for item, version in made]
        for (item, _), entry in zip(made, renewed, strict=True):
            item.renewed(entry, context.timer.time())
        asyncio.ensure_future(context.journal.save(renewed))  # noqa: RUF006

    patch.setattr(versions.Versions, "_journal", hasty)


@bug
def settles_after_the_journal(patch: pytest.MonkeyPatch) -> None:
    """The journal stores an end that the caller does not know yet; a crash between them loses it."""

    async def swapped(self: endings.Endings, ends: Sequence[looking.End]) -> None:
        context = self._context
        now = context.clock.now()
        items = [item for end in ends if (item := context.queue.get(end.nonce)) is not None]
        ended = [end.of(item.entry, now) for item, end in zip(items, ends, strict=True)]
        await context.journal.save(ended)
        await context.settle([each for each in ended if not each.is_filler])
        context.queue.drop(each.nonce for each in ended)
        context.watch.put(ended, context.timer.time())
        for each in ended:
            self._tell(each)

    patch.setattr(endings.Endings, "end", swapped)


@bug
def forgets_its_transactions_at_a_restart(patch: pytest.MonkeyPatch) -> None:
    """What was in flight before a crash is not sent again."""

    async def nothing(self: Context) -> None:
        pass

    patch.setattr(Context, "adopt", nothing)


@bug
def forgets_earlier_versions(patch: pytest.MonkeyPatch) -> None:
    """A replacement takes the place of the version before it, which may be mined all the same."""

    def only(self: Entry, version: Version, now: float) -> Entry:
        return replace(self, versions=(version,), state=EntryState.SIGNED, updated_at=now)

    patch.setattr(Entry, "replaced_by", only)


# --- nonces -------------------------------------------------------------------------------


@bug
def takes_its_nonces_from_the_node(patch: pytest.MonkeyPatch) -> None:
    """A new transaction gets the node's pending count, though the journal gave that nonce to another call."""

    async def asked(self: intake.Intake) -> int:
        return (await self._context.node.counts()).pending

    async def overwrites(self: MemoryJournal, entries: Sequence[Entry]) -> None:
        self.entries.update({each.nonce: each for each in entries})

    patch.setattr(intake.Intake, "_first_nonce", asked)
    patch.setattr(MemoryJournal, "add", overwrites)


@bug
def burns_the_nonce_of_a_refused_transaction(patch: pytest.MonkeyPatch) -> None:
    """A refused send is answered with an empty transfer, though its own bytes could be sent again."""
    original = steering.steer

    def releasing(item: Item, version: Version, answer: SendAnswer, brake: Any, now: float) -> bool:
        looks = original(item, version, answer, brake, now)
        if answer.outcome is SendOutcome.NONCE_TOO_HIGH:
            item.wanted, item.due_at = Wanted.EMPTY, None
        return looks

    patch.setattr(queue, "steer", releasing)


@bug
@seen_with(lambda faults: faults.false_invalid > 0)
def believes_the_first_invalid(patch: pytest.MonkeyPatch) -> None:
    """One answer that a call is invalid burns its nonce."""
    patch.setattr(steering, "INVALID_ANSWERS", 1)
    patch.setattr(steering, "_invalid_after_s", lambda item: 0.0)


@bug
@seen_with(lambda faults: faults.lag_blocks > 0 and not faults.reorganisations)
def fills_a_gap_at_first_sight(patch: pytest.MonkeyPatch) -> None:
    """One low count of a node that lags makes a filler."""

    def at_once(self: Any, counts: Any, lowest: int | None, now: float) -> counting.Block | None:
        is_lower = lowest is not None and counts.mined < lowest
        return counting.Block(counts.mined, counts.mined) if is_lower else None

    patch.setattr(counting.Counting, "block", at_once)


@bug
@seen_with(lambda faults: faults.lies > 0 or faults.strangers > 0)
def never_fills_a_gap(patch: pytest.MonkeyPatch) -> None:
    """A nonce that no entry holds blocks everything above it."""
    patch.setattr(counting.Counting, "block", lambda self, counts, lowest, now: None)


@bug
def sends_out_of_order(patch: pytest.MonkeyPatch) -> None:
    """The newest transaction is sent first."""

    def last(self: queue.Queue, now: float) -> Item | None:
        due = [each for each in self._sendable() if (each.due_at or 0.0) <= now >= self.brake.until]
        return due[-1] if due else None

    patch.setattr(queue.Queue, "next_send", last)


# --- receipts -----------------------------------------------------------------------------


@bug
def calls_a_nonce_displaced_after_one_look(patch: pytest.MonkeyPatch) -> None:
    """One missing receipt of a used nonce ends its entry, and its work is done again."""

    def at_once(past: Iterable[Item], mined_: int, ended: Iterable[looking.End], now: float) -> list[Item]:
        nonces = {each.nonce for each in ended}
        return [each for each in past if each.nonce not in nonces]

    async def displaced(self: watcher.Watcher, past: Any, counts: Any, ends: Any) -> list[looking.End]:
        found = at_once(past, counts.mined, ends, 0.0)
        return [looking.End(each.nonce, EntryState.DISPLACED) for each in found]

    patch.setattr(watcher.Watcher, "_displaced", displaced)


@bug
@seen_with(lambda faults: faults.spikes > 0)
def looks_only_for_the_newest_version(patch: pytest.MonkeyPatch) -> None:
    """The receipt of an earlier version is never read."""

    def newest(entry: Entry, receipts: dict[Hex, Receipt]) -> Receipt | None:
        return receipts.get(entry.latest.hash)

    async def displaced(self: watcher.Watcher, past: Any, counts: Any, ends: Any) -> list[looking.End]:
        certain = looking.suspects(past, counts.mined, ends, self._context.timer.time())
        return [looking.End(each.nonce, EntryState.DISPLACED) for each in certain]

    patch.setattr(looking, "receipt_of", newest)
    patch.setattr(watcher.Watcher, "_displaced", displaced)


@bug
def takes_a_revert_for_success(patch: pytest.MonkeyPatch) -> None:
    """Every mined transaction counts as successful."""
    patch.setattr(looking, "_state", lambda entry, receipt: EntryState.MINED)


@bug
@seen_with(lambda faults: faults.reorganisations > 0)
def trusts_receipts_after_a_reorganisation(patch: pytest.MonkeyPatch) -> None:
    """A new branch raises no doubt about what was mined on the old one."""
    patch.setattr(doubts.Doubts, "trouble", lambda self, now: None)
    patch.setattr(doubts.Doubts, "skipped", lambda self, now: None)
    patch.setattr(doubts.Doubts, "doubt", lambda self: None)
    patch.setattr(watch, "VERIFIED_AFTER_S", float("inf"))


@bug
@seen_with(lambda faults: faults.reorganisations > 0)
def lets_a_new_entry_vouch_for_an_old_one(patch: pytest.MonkeyPatch) -> None:
    """The newest mined entry stands, so none is read that the old branch held."""
    patch.setattr(watch.Watch, "needs_all", lambda self, now: False)


@bug
def does_its_work_again_after_a_lost_answer(patch: pytest.MonkeyPatch) -> None:
    """A send without an answer counts as failed, and the call gets another nonce."""
    original = sender.Sender._answered

    def again(self: sender.Sender, nonce: int, version: Version, answer: SendAnswer) -> None:
        context = self._context
        item = context.queue.get(nonce)
        if item is not None and "broke" in answer.message and context.next_nonce is not None:
            call, context.next_nonce = item.entry.call, context.next_nonce + 1
            other = context.next_nonce - 1
            entry = Entry(other, call, (context.signer.sign(other, call, version.offer),), 0.0)
            asyncio.ensure_future(_add(context, entry))  # noqa: RUF006
        original(self, nonce, version, answer)

    async def _add(context: Context, entry: Entry) -> None:
        await context.journal.add([entry])
        context.queue.put([entry], context.timer.time())

    patch.setattr(sender.Sender, "_answered", again)


# --- fees and funds -----------------------------------------------------------------------


@bug
@seen_with(lambda faults: faults.spike > 10 and faults.spikes > 0)
def replaces_above_the_cap(patch: pytest.MonkeyPatch) -> None:
    """A replacement pays 15 % more, whatever the operator allows."""

    def bold(self: fees.FeePolicy, paid: Offer, quote: FeeQuote) -> Offer | None:
        if self.is_free:
            return None
        fee = max(fees._bumped(paid.max_fee), 2 * (quote.base_fee or 0))
        return Offer(fee, None if paid.tip is None else fees._bumped(paid.tip))

    patch.setattr(fees.FeePolicy, "replacement", bold)


@bug
@seen_with(lambda faults: faults.spikes > 0)
def never_signs_again_for_a_higher_fee(patch: pytest.MonkeyPatch) -> None:
    """A transaction below the base fee is sent again as it is, and never replaced."""
    original = queue.Queue.wanting

    def only_empty(self: queue.Queue) -> list[Item]:
        return [each for each in original(self) if each.wanted is Wanted.EMPTY]

    patch.setattr(queue.Queue, "wanting", only_empty)


@bug
@seen_with(lambda faults: faults.dry or faults.spikes > 0)
def stays_parked(patch: pytest.MonkeyPatch) -> None:
    """A dry wallet never tries again."""

    def without_end(self: steering.Brake, reason: str, now: float) -> None:
        self.parked_reason, self.until = reason, float("inf")

    patch.setattr(steering.Brake, "park", without_end)


# --- patience -----------------------------------------------------------------------------


@bug
def never_sends_again_what_a_node_forgot(patch: pytest.MonkeyPatch) -> None:
    """An accepted transaction counts as safe, though nodes lose their pools."""
    patch.setattr(looking, "checked", lambda *_: None)


@bug
def waits_for_the_chain_after_a_nonce_gap(patch: pytest.MonkeyPatch) -> None:
    """A transaction that came before the one below it is never sent again."""
    original = steering.steer

    def waiting(item: Item, version: Version, answer: SendAnswer, brake: Any, now: float) -> bool:
        looks = original(item, version, answer, brake, now)
        if answer.outcome is SendOutcome.NONCE_TOO_HIGH:
            item.due_at = None
        return looks

    patch.setattr(queue, "steer", waiting)


@bug
def polls_while_idle(patch: pytest.MonkeyPatch) -> None:
    """The balance is read every two seconds with nothing in flight."""
    patch.setattr(watcher.Watcher, "_pause", lambda self: 2.0)
    patch.setattr(watcher.Watcher, "_is_balance_due", lambda self: True)


@bug
def sends_again_at_once(patch: pytest.MonkeyPatch) -> None:
    """A refused transaction is sent again without a pause."""
    patch.setattr(steering, "pause_s", lambda failures: 0.0)
    patch.setattr(steering, "GAP_RESEND_S", 0.0)


@bug
@seen_with(lambda faults: faults.reorganisations > 0)
def leaves_a_removed_transaction_ended(patch: pytest.MonkeyPatch) -> None:
    """An entry that a reorganisation removed stays ended."""

    async def nothing(self: mined.Mined, ended: Sequence[Entry]) -> None:
        self._context.watch.remove(each.nonce for each in ended)

    patch.setattr(mined.Mined, "put_back", nothing)


# --- the test -----------------------------------------------------------------------------


@pytest.fixture
def _quiet() -> None:
    silence()


def first_failing_seed(plant: Plant) -> int | None:
    """Return the first seed that violates an invariant; any other exception fails the test itself."""
    for seed in range(1, MAX_SEEDS + 1):
        world = World(seed)
        if not BUGS.may_show(plant, world.environment.faults):
            continue
        try:
            world.run()
        except Violation:
            return seed
    return None


@pytest.mark.usefixtures("_quiet")
@pytest.mark.parametrize("plant", BUGS.plants.values(), ids=BUGS.plants.keys())
def test_a_planted_bug_is_caught(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    assert first_failing_seed(plant) is not None, plant.__doc__


@pytest.mark.usefixtures("_quiet")
def test_a_seed_is_the_same_every_time() -> None:
    def trace() -> list[tuple[float, str, str]]:
        lines: list[tuple[float, str, str]] = []
        World(7, lambda at, what, fields: lines.append((at, what, str(fields)))).run()
        return lines

    assert trace() == trace()
