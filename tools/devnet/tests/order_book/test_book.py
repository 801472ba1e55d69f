"""The published orders survive a restart of the market."""

from datetime import UTC, datetime
from pathlib import Path

from workerpool_devnet.order_book.book import FINAL_BLOCKS, Book
from workerpool_devnet.order_book.entries import Entry, OrderKind
from workerpool_poco.protocol.ids import address
from workerpool_poco.protocol.orders import WorkerpoolOrder

POOL, OWNER = address(b"\1" * 20), address(b"\2" * 20)


def entry(position: int) -> Entry:
    return Entry(
        kind=OrderKind.WORKERPOOL,
        order=WorkerpoolOrder(workerpool=POOL, salt=bytes(32), sign=b"\3" * 65),
        order_hash=f"0x{position:064x}",
        signer=OWNER,
        published_at=datetime(2026, 11, 29, 1, 2, 3, 456_000, tzinfo=UTC),
        position=position,
    )


def test_a_new_process_finds_what_was_published_and_not_withdrawn(tmp_path: Path) -> None:
    book = Book(tmp_path / "orders")
    for position in range(3):
        book.add(entry(position))
    book.remove(entry(1))
    book.close()
    book = Book(tmp_path / "orders")
    assert book.live() == book.of_signer(OWNER) == [entry(0), entry(2)]
    assert book.find(OrderKind.WORKERPOOL, entry(1).order_hash) is None
    assert book.next_position == 3
    book.close()


def test_half_a_line_of_a_killed_process_is_dropped(tmp_path: Path) -> None:
    journal = tmp_path / "orders"
    book = Book(journal)
    book.add(entry(0))
    book.close()
    with journal.open("a") as file:
        file.write('{"kind": "workerp')
    book = Book(journal)
    book.add(entry(1))
    book.close()
    book = Book(journal)
    assert book.live() == [entry(0), entry(1)]
    book.close()


def test_an_order_is_found_under_its_own_kind_only(tmp_path: Path) -> None:
    book = Book(tmp_path / "orders")
    book.add(entry(0))
    assert book.find(OrderKind.WORKERPOOL, entry(0).order_hash) == entry(0)
    assert book.find(OrderKind.APP, entry(0).order_hash) is None
    book.close()


def test_a_consumed_order_is_read_until_a_reorganisation_cannot_revive_it(tmp_path: Path) -> None:
    book = Book(tmp_path / "orders")
    book.add(entry(0))
    book.note_volumes([entry(0)], [], 100)
    book.note_volumes([], [entry(0)], 110)
    book.note_volumes([entry(0)], [], 120)
    book.note_volumes([entry(0)], [], 120 + FINAL_BLOCKS - 1)
    assert book.live() == [entry(0)]
    book.note_volumes([entry(0)], [], 120 + FINAL_BLOCKS)
    assert book.live() == []
    assert book.find(OrderKind.WORKERPOOL, entry(0).order_hash) == entry(0), "it can still be shown"
    book.close()
