"""Transactions in flight, and what the node answered about them."""

from workerpool_chain_adapter.app.in_flight import InFlight
from workerpool_chain_adapter.domain.transaction import JournaledTransaction, Version


def transaction(nonce: int) -> JournaledTransaction:
    return JournaledTransaction(nonce, (), b"", 1, (Version(f"0x{nonce:064x}", b"", 1),), 0.0, 0)


def test_transactions_are_ordered_by_nonce() -> None:
    in_flight = InFlight()
    in_flight.put([transaction(3), transaction(1)])
    in_flight.put([transaction(2)])
    assert [each.nonce for each in in_flight.in_order()] == [1, 2, 3]
    assert (len(in_flight), set(in_flight.nonces)) == (3, {1, 2, 3})


def test_a_new_form_is_unsent_and_not_underpriced() -> None:
    in_flight = InFlight()
    in_flight.put([transaction(1)])
    assert in_flight.is_unsent(1)
    in_flight.mark_accepted(1)
    in_flight.mark_underpriced(1)
    assert (in_flight.is_unsent(1), in_flight.is_underpriced(1)) == (False, True)
    in_flight.put([transaction(1)])
    assert (in_flight.is_unsent(1), in_flight.is_underpriced(1)) == (True, False)


def test_an_ended_transaction_leaves_nothing() -> None:
    in_flight = InFlight()
    in_flight.put([transaction(1)])
    in_flight.mark_underpriced(1)
    in_flight.drop([1, 2])
    assert len(in_flight) == 0
    assert (in_flight.is_unsent(1), in_flight.is_underpriced(1)) == (False, False)
