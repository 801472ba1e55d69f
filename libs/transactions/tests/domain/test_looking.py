"""What a look at the chain means for the entries in flight."""

from workerpool_transactions.domain import looking
from workerpool_transactions.domain.entry import Call, Entry, EntryState, Offer, Receipt, Version
from workerpool_transactions.domain.item import Item, Wanted
from workerpool_transactions.domain.looking import DISPLACED_AFTER_S


def item(
    nonce: int = 0, versions: int = 1, *, labels: tuple[str, ...] = ("work",), empty_from: int = 9
) -> Item:
    made = tuple(Version(f"0x{nonce}{n}", b"", Offer(n), n >= empty_from) for n in range(versions))
    return Item(Entry(nonce, Call("0x", b"", 1, labels), made, 0.0), 0.0)


def receipt(hash_: str, *, succeeded: bool = True) -> dict[str, Receipt]:
    return {hash_: Receipt(hash_, succeeded, 1, 1)}


def state(of: Item, receipts: dict[str, Receipt]) -> EntryState:
    [end] = looking.mined_ends([of], receipts)
    return end.state


def test_any_version_ends_an_entry() -> None:
    assert state(item(0, 3), receipt("0x00")) is EntryState.MINED
    assert state(item(0, 3), receipt("0x02", succeeded=False)) is EntryState.REVERTED
    assert looking.mined_ends([item(0, 3)], receipt("0x10")) == []


def test_an_empty_version_ends_a_call_as_refused_and_a_filler_as_mined() -> None:
    assert state(item(0, 2, empty_from=1), receipt("0x01")) is EntryState.REFUSED
    assert state(item(0, 2, empty_from=1), receipt("0x00")) is EntryState.MINED
    assert state(item(0, 1, empty_from=0, labels=()), receipt("0x00")) is EntryState.MINED


def test_a_used_nonce_without_a_receipt_is_suspected_after_several_sightings_over_some_seconds() -> None:
    past = [item(3)]
    assert looking.suspects(past, 4, [], 0.0) == []
    assert looking.suspects(past, 4, [], DISPLACED_AFTER_S) == [], "two sightings"
    assert looking.suspects(past, 3, [], DISPLACED_AFTER_S) == [], "an answer that lags is none"
    assert looking.suspects(past, 4, [], DISPLACED_AFTER_S) == past


def test_a_nonce_that_became_unused_is_suspected_again() -> None:
    past = [item(3)]
    for now in (0.0, 1.0, 2.0):
        looking.suspects(past, 4, [], now)
    looking.unused(past, 3)
    assert looking.suspects(past, 4, [], DISPLACED_AFTER_S) == []


def waiting(nonce: int, now: float) -> Item:
    made = item(nonce)
    made.waits(made.entry.latest, now, 1)
    return made


def test_the_lowest_nonce_is_checked_more_often() -> None:
    items = [waiting(1, 0.0), waiting(2, 0.0)]
    assert looking.checks(items, 1.0, 0.5) == []
    assert looking.checks(items, 1.0, 1.0) == items, "the first time both"
    looking.checked(items, items, {"0x10", "0x20"}, 1.0)
    assert looking.checks(items, 1.0, 2.0) == items[:1]
    assert looking.checks(items, 1.0, 6.0) == items


def test_what_the_node_lost_is_sent_again_and_those_above_are_checked() -> None:
    items = [waiting(1, 0.0), waiting(2, 0.0)]
    looking.checked(items, items[:1], set(), 1.0)
    assert items[0].due_at == 1.0
    assert looking.checks(items, 1.0, 1.0) == items[1:]


def test_only_a_known_transaction_that_waits_while_blocks_pass_is_stuck() -> None:
    lowest = waiting(1, 0.0)
    assert not looking.mark_stuck(lowest, 100, 15.0, 14.9)
    assert not looking.mark_stuck(lowest, 2, 15.0, 15.0), "no blocks"
    assert looking.mark_stuck(lowest, 3, 15.0, 15.0)
    assert lowest.wanted is Wanted.REPLACEMENT
    assert not looking.mark_stuck(lowest, 9, 15.0, 99.0), "once"
    lost = waiting(1, 0.0)
    lost.lost(1.0)
    assert not looking.mark_stuck(lost, 100, 15.0, 99.0)
