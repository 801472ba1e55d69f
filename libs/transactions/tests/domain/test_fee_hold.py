"""One try finds the fee that a node takes."""

from workerpool_transactions.domain.answers import SendOutcome
from workerpool_transactions.domain.entry import Call, Entry, Offer, Version
from workerpool_transactions.domain.fee_hold import FeeHold
from workerpool_transactions.domain.item import Item


def item(nonce: int, max_fee: int) -> Item:
    call = Call("0x5FbDB2315678afecb367f032d93F642f64180aa3", b"", 1, ("work",))
    return Item(Entry(nonce, call, (Version(f"0x{nonce}", b"", Offer(max_fee)),), 0.0), 0.0)


def refused(nonce: int = 1, max_fee: int = 100) -> FeeHold:
    hold = FeeHold()
    hold.answered(nonce, item(nonce, max_fee).entry.latest, SendOutcome.FEE_TOO_LOW)
    return hold


def test_those_above_wait_and_others_do_not() -> None:
    hold = refused()
    assert hold.holds(item(2, 100))
    assert not hold.holds(item(0, 50))
    assert not hold.holds(item(1, 100)), "the one that tries"


def test_what_a_node_has_does_not_wait() -> None:
    known = item(2, 100)
    known.waits(known.entry.latest, 0.0, 1)
    assert not refused().holds(known)


def test_an_accepted_offer_serves_all() -> None:
    hold = refused()
    assert hold.answered(1, item(1, 150).entry.latest, SendOutcome.ACCEPTED)
    assert hold.accepted == Offer(150)
    assert not hold.holds(item(2, 100))


def test_the_same_offer_may_be_accepted_later() -> None:
    hold = refused()
    assert not hold.answered(1, item(1, 100).entry.latest, SendOutcome.ACCEPTED)
    assert not hold.holds(item(2, 100))


def test_the_lowest_refused_nonce_is_the_one_that_tries() -> None:
    hold = refused(3)
    hold.answered(2, item(2, 100).entry.latest, SendOutcome.FEE_TOO_LOW)
    assert hold.holds(item(3, 100))
    assert not hold.holds(item(2, 100))


def test_another_answer_or_its_end_frees_the_others() -> None:
    for outcome in (SendOutcome.NONCE_TOO_LOW, SendOutcome.NO_FUNDS, SendOutcome.NONCE_TOO_HIGH):
        hold = refused()
        assert not hold.answered(1, item(1, 100).entry.latest, outcome)
        assert not hold.holds(item(2, 100))
    hold = refused()
    hold.answered(1, item(1, 100).entry.latest, SendOutcome.BUSY)
    assert hold.holds(item(2, 100))
    hold.ended(1)
    assert not hold.holds(item(2, 100))
