"""The book: durable before it counts, orders of others included, and nothing forgotten too early."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from workerpool_order_publisher.app.book import Book
from workerpool_order_publisher.app.ports import Listed
from workerpool_order_publisher.domain.order_book import Order, OrderState, Terms

TERMS = Terms(0, 0, "0x" + "00" * 32, 1, "0x", "0x", "0x")
NOW = 1000.0


class Journal:
    def __init__(self, *orders: Order) -> None:
        self.orders = {order.hash: order for order in orders}
        self.saved = 0

    async def load(self) -> list[Order]:
        return list(self.orders.values())

    async def save(self, order: Order) -> None:
        self.orders[order.hash] = order
        self.saved += 1

    async def forget(self, order_hashes: Sequence[str]) -> None:
        for order_hash in order_hashes:
            del self.orders[order_hash]


def order(number: int = 1, **changes: object) -> Order:
    name = f"0x{number:064x}"
    return Order(name, name, TERMS, 2, NOW, **changes)  # type: ignore[arg-type]


def listed(one: Order) -> Listed:
    return Listed(one.hash, one.salt, one.terms, one.volume, "owner")


@pytest.fixture
def journal() -> Journal:
    return Journal()


async def test_every_change_but_the_settled_volume_is_stored(journal: Journal) -> None:
    book = Book(journal)
    await book.put(order())
    await book.put(order(settled=1))
    assert journal.saved == 1
    await book.put(order(settled=1, state=OrderState.OPEN))
    assert journal.saved == 2
    again = Book(journal)
    await again.load()
    assert (again.is_new, [one.state for one in again.own]) == (False, [OrderState.OPEN])


async def test_orders_of_others_appear_vanish_and_close_like_own_ones(journal: Journal) -> None:
    book = Book(journal)
    await book.listed([listed(order(9))], NOW)
    assert [one.exposure for one in book.foreign] == [2]
    await book.settle({order(9).hash: 1}, 5, NOW)
    await book.listed([], NOW)
    assert [one.exposure for one in book.foreign] == [1], "its purchases may be unknown to core"
    assert book.awaits_head()
    await book.note_head(7)
    assert not book.awaits_head()
    await book.settle({order(9).hash: 1}, 7, NOW)
    assert [one.exposure for one in book.foreign] == [0]
    await book.listed([listed(order(9))], NOW)
    assert [one.exposure for one in book.foreign] == [1]
    assert journal.saved == 0


async def test_an_order_that_ended_is_read_again_only_while_the_market_lists_it(journal: Journal) -> None:
    book = Book(journal)
    await book.put(order(state=OrderState.OPEN))
    await book.settle({order().hash: 2}, 5, NOW)
    assert book.at_risk() == []
    await book.listed([listed(order())], NOW)
    assert book.at_risk() == [order().hash]
    await book.settle({order().hash: 0}, 6, NOW)
    assert [one.state for one in book.own] == [OrderState.OPEN], "a reorganisation removed the purchase"


async def test_what_ended_long_ago_is_forgotten(journal: Journal) -> None:
    book = Book(journal)
    await book.put(order(1, state=OrderState.CLOSED))
    await book.put(order(2, state=OrderState.OPEN))
    await book.settle({}, 5, NOW + 3599)
    assert len(book.own) == 2
    await book.settle({}, 5, NOW + 3601)
    assert [one.hash for one in book.own] == list(journal.orders) == [order(2).hash]


async def test_an_adopted_order_is_stored_as_open(journal: Journal) -> None:
    book = Book(journal)
    await book.listed([listed(order(9))], NOW)
    await book.adopt(book.foreign[0])
    assert (book.foreign, [one.state for one in book.own]) == ([], [OrderState.OPEN])
    assert book.get(order(9).hash) == replace(order(9), state=OrderState.OPEN)


async def test_without_cancellations_the_withdrawal_ends_an_order_again() -> None:
    journal = Journal(order(1, state=OrderState.WITHDRAWN, closes_at=5, cancels=True), order(2))
    book = Book(journal)
    await book.load()
    await book.drop_cancellations()
    assert (journal.saved, journal.orders[order(1).hash].cancels) == (1, False)
    await book.settle({order(1).hash: 0}, 9, NOW)
    assert book.get(order(1).hash).state is OrderState.CLOSED
