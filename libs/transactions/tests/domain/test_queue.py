"""The order of sends, and what each answer changes in it."""

import pytest
from workerpool_transactions.domain.answers import SendAnswer, SendOutcome
from workerpool_transactions.domain.entry import Call, Entry, EntryState, Offer, Version
from workerpool_transactions.domain.item import Wanted
from workerpool_transactions.domain.queue import Queue
from workerpool_transactions.domain.steering import (
    INVALID_AFTER_S,
    INVALID_ANSWERS,
    LONGEST_PAUSE_S,
    TAKEN_INVALID_AFTER_S,
)

OK = SendAnswer(SendOutcome.ACCEPTED)


def entry(nonce: int, *labels: str) -> Entry:
    call = Call("0x5FbDB2315678afecb367f032d93F642f64180aa3", b"", 21_000, labels or ("work",))
    return Entry(nonce, call, (Version(f"0x{nonce:064x}", b"%d" % nonce, Offer(1)),), 0.0)


def queue(*nonces: int, window: int = 64) -> Queue:
    made = Queue(window)
    made.put([entry(nonce) for nonce in nonces], 0.0)
    return made


def send(made: Queue, now: float, answer: SendAnswer | SendOutcome = OK) -> int | None:
    """Send what is due and answer it; return its nonce."""
    item = made.next_send(now)
    if item is None:
        return None
    version = made.started(item, now)
    answer = answer if isinstance(answer, SendAnswer) else SendAnswer(answer)
    made.answered(item.nonce, version, answer, now, now)
    return item.nonce


def test_sends_go_in_nonce_order_and_once() -> None:
    made = queue(9, 2, 5)
    assert [send(made, 0.0) for _ in range(4)] == [2, 5, 9, None]
    assert made.next_due() is None


def test_an_outstanding_send_is_not_repeated_and_does_not_hold_back_the_next() -> None:
    made = queue(1, 2)
    first = made.next_send(0.0)
    assert first is not None
    made.started(first, 0.0)
    assert send(made, 0.0) == 2
    assert send(made, 1e9) is None


def test_only_the_window_is_sent() -> None:
    made = queue(*range(10), window=3)
    assert [send(made, 0.0) for _ in range(4)] == [0, 1, 2, None]
    made.drop([0])
    assert send(made, 0.0) == 3
    assert made.room == 0


def test_an_accepted_entry_is_sent() -> None:
    made = queue(1)
    send(made, 7.0)
    item = made.get(1)
    assert item is not None
    assert item.entry.state is EntryState.SENT


@pytest.mark.parametrize(
    "outcome", [SendOutcome.NONCE_TOO_HIGH, SendOutcome.NONCE_TOO_LOW, SendOutcome.INVALID]
)
def test_a_refusal_of_one_nonce_holds_back_no_other(outcome: SendOutcome) -> None:
    made = queue(1, 2)
    assert send(made, 0.0, outcome) == 1
    assert send(made, 0.0) == 2
    assert send(made, 0.9) is None
    assert send(made, 1.1) == 1


def test_an_accepted_nonce_wakes_those_that_waited_for_it() -> None:
    made = queue(1, 2, 3)
    send(made, 0.0, SendOutcome.NONCE_TOO_HIGH)
    assert send(made, 0.0, SendOutcome.NONCE_TOO_HIGH) == 2
    made.drop([1])
    made.put([entry(0)], 0.1)
    assert send(made, 0.1) == 0
    assert [send(made, 0.1), send(made, 0.1)] == [2, 3]


def test_a_busy_node_pauses_the_wallet_for_growing_times() -> None:
    made, now, pauses = queue(1, 2), 0.0, []
    for _ in range(8):
        assert send(made, now, SendOutcome.BUSY) == 1
        assert send(made, now) is None
        due = made.next_due()
        assert due is not None
        pauses.append(due - now)
        now = due
    assert pauses == [0.25, 0.5, 1, 2, 4, LONGEST_PAUSE_S, LONGEST_PAUSE_S, LONGEST_PAUSE_S]
    assert [send(made, now), send(made, now)] == [1, 2]


def test_answers_of_one_outage_count_once() -> None:
    made = queue(*range(10))
    sent = []
    for _ in range(10):
        item = made.next_send(0.0)
        assert item is not None
        sent.append((item, made.started(item, 0.0)))
    for item, version in sent:
        made.answered(item.nonce, version, SendAnswer(SendOutcome.BUSY), 0.0, 0.0)
    assert made.next_due() == 0.25


def test_no_funds_parks_the_wallet_and_tries_the_lowest() -> None:
    made = queue(1, 2)
    send(made, 0.0, SendAnswer(SendOutcome.NO_FUNDS, "insufficient funds"))
    assert "insufficient funds" in made.brake.parked_reason
    assert send(made, 1.0) is None
    assert send(made, LONGEST_PAUSE_S) == 1
    assert made.brake.parked_reason == ""
    assert send(made, LONGEST_PAUSE_S) == 2


def test_a_fee_that_is_too_low_asks_for_another_version() -> None:
    made = queue(1, 2)
    send(made, 0.0, SendOutcome.FEE_TOO_LOW)
    [wanting] = made.wanting()
    assert (wanting.nonce, wanting.wanted) == (1, Wanted.FEE)
    assert send(made, 1e9) is None, "the same offer would be refused too"
    version = Version("0xnew", b"", Offer(2))
    wanting.renewed(wanting.entry.replaced_by(version, 0.0), 1.0)
    assert made.wanting() == []
    assert send(made, 1.0) == 1


def test_a_refused_fee_of_an_older_version_changes_nothing() -> None:
    made = queue(1)
    item = made.next_send(0.0)
    assert item is not None
    old = made.started(item, 0.0)
    item.renewed(item.entry.replaced_by(Version("0xnew", b"", Offer(2)), 0.0), 0.0)
    made.answered(1, old, SendAnswer(SendOutcome.FEE_TOO_LOW), 0.0, 0.0)
    assert made.wanting() == []


def test_a_refused_call_is_given_up_only_after_several_answers_over_some_seconds() -> None:
    made, now = queue(1), 0.0
    while not made.wanting():
        assert send(made, now, SendOutcome.INVALID) == 1
        now = made.next_due() or now
    assert made.wanting()[0].wanted is Wanted.EMPTY
    assert now >= INVALID_AFTER_S


def test_a_node_that_judges_only_the_nonce_finds_nothing_wrong_with_the_call() -> None:
    made, now = queue(1), 0.0
    for outcome in (SendOutcome.INVALID, SendOutcome.NONCE_TOO_HIGH) * INVALID_ANSWERS:
        send(made, now, outcome)
        now = max(made.next_due() or now, now + INVALID_AFTER_S)
    assert made.wanting() == []


def test_a_call_that_a_node_took_before_is_given_up_much_later() -> None:
    made, now = queue(1), 0.0
    send(made, now)
    item = made.get(1)
    assert item is not None
    item.lost(now)
    while not made.wanting():
        send(made, now, SendOutcome.INVALID)
        now = made.next_due() or now
    assert now >= TAKEN_INVALID_AFTER_S


def test_an_entry_whose_work_was_handed_back_is_only_sent_empty() -> None:
    made = Queue(64)
    made.put([entry(1).ended(EntryState.DISPLACED, 0.0).handed_back(0.0)], 0.0)
    assert send(made, 1e9) is None
    assert made.wanting()[0].wanted is Wanted.EMPTY


def test_an_answer_after_the_end_is_ignored() -> None:
    made = queue(1)
    item = made.next_send(0.0)
    assert item is not None
    version = made.started(item, 0.0)
    made.drop([1])
    assert not made.answered(1, version, OK, 0.0, 0.0)
