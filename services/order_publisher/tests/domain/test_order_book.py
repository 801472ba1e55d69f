"""An order is exposed until there is evidence that nothing of it can be bought without core knowing."""

from dataclasses import replace

import pytest
from workerpool_order_publisher.domain.order_book import Order, Terms
from workerpool_order_publisher.domain.order_book import OrderState as S

TERMS = Terms(0, 5, "0x" + "00" * 32, 1, "0x", "0x", "0x")
NOW = 1000.0


def order(**changes: object) -> Order:
    return Order("0x" + "11" * 32, "0x" + "22" * 32, TERMS, 3, NOW, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("state", [state for state in S if state is not S.CLOSED])
def test_it_is_exposed_until_it_is_closed(state: S) -> None:
    assert order(state=state, settled=1).exposure == 2
    assert order(state=S.CLOSED, settled=1).exposure == 0


def test_it_closes_when_all_of_it_was_bought() -> None:
    bought = order(state=S.OPEN).settle(3, 10, NOW)
    assert (bought.state, bought.exposure) == (S.CLOSED, 0)


def test_a_reorganisation_that_removes_the_purchase_opens_it_again() -> None:
    again = order(state=S.OPEN).settle(3, 10, NOW).settle(1, 11, NOW)
    assert (again.state, again.exposure) == (S.OPEN, 2)


def test_a_withdrawn_order_closes_only_after_core_followed_a_later_block() -> None:
    gone = order(state=S.OPEN).withdrawing("a reason").withdrawn()
    assert gone.settle(0, 99, NOW).exposure == 3, "the block is not known yet"
    gone = replace(gone, closes_at=20)
    assert gone.settle(1, 19, NOW).exposure == 2
    assert gone.settle(1, 20, NOW).state is S.CLOSED


def test_a_publication_without_an_answer_keeps_it_exposed_although_it_is_withdrawn() -> None:
    late = order().publishing(NOW + 60).withdrawing("a reason").withdrawn()
    late = replace(late, closes_at=5)
    assert late.settle(0, 10, NOW + 59).exposure == 3
    assert late.settle(0, 10, NOW + 60).exposure == 0


def test_a_publication_that_arrives_late_is_withdrawn_again() -> None:
    closed = order(state=S.CLOSED, reason="a reason")
    late = closed.seen(listed=True)
    assert (late.state, late.exposure) == (S.WITHDRAWING, 3)
    assert order(state=S.CLOSED, settled=3).seen(listed=True).state is S.CLOSED, "the market lags"


def test_an_order_that_the_market_lost_is_published_again() -> None:
    assert order(state=S.OPEN).seen(listed=False).state is S.PLANNED
    assert order(state=S.OPEN, own=False).seen(listed=False).state is S.WITHDRAWN
    assert order(state=S.PLANNED).seen(listed=True).state is S.OPEN
    for state in (S.PLANNED, S.WITHDRAWING, S.WITHDRAWN, S.CLOSED):
        assert order(state=state).seen(listed=False).state is state


def test_a_known_outcome_leaves_earlier_unknown_ones_in_force() -> None:
    attempt = order().publishing(NOW + 60)
    assert attempt.published(0.0).late_until == 0.0
    assert attempt.refused("why", 7.0).late_until == 7.0
    assert attempt.refused("why", 0.0).reason == "why"


def test_an_order_that_is_cancelled_is_exposed_until_the_chain_shows_it() -> None:
    gone = order(state=S.OPEN).withdrawing("a reason", cancels=True)
    assert gone.awaits_cancellation, "also while the market gives no answer"
    gone = replace(gone.withdrawn(), closes_at=5)
    assert gone.settle(1, 99, NOW).exposure == 2
    assert gone.settle(1, 99, NOW).awaits_cancellation
    closed = gone.settle(3, 100, NOW)
    assert (closed.state, closed.exposure, closed.awaits_cancellation) == (S.CLOSED, 0, False)


def test_a_later_decision_does_not_take_a_cancellation_back() -> None:
    gone = order(state=S.OPEN).withdrawing("a reason", cancels=True)
    assert gone.withdrawing("another reason").cancels
    assert not order(state=S.OPEN, cancels=True).awaits_cancellation, "it is wanted"
