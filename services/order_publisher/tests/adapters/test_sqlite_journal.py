"""The journal: durable, of one pool, and held by one process."""

import asyncio
import os
import sys
from pathlib import Path

import pytest
from patience import PATIENCE_S
from small_volumes import MountVolume
from workerpool_order_publisher.adapters.sqlite_journal import SqliteJournal
from workerpool_order_publisher.domain.order_book import Order, OrderState, Terms
from workerpool_order_publisher.errors import JournalUnusable

TERMS = Terms(0, 5, "0x" + "00" * 32, 1, "0xa", "0xb", "0xc")
ORIGIN = "pool 0xab on chain 1"


def order(number: int = 1, state: OrderState = OrderState.OPEN) -> Order:
    name = f"0x{number:064x}"
    return Order(name, name, TERMS, 2, 1000.5, state, "a reason", closes_at=7, late_until=5.5, cancels=True)


def unexpected(failure: Exception) -> None:
    raise AssertionError(f"a write failed: {failure}")


async def opened(path: Path, origin: str = ORIGIN) -> SqliteJournal:
    journal = SqliteJournal(path, on_failure=unexpected)
    try:
        await journal.open(origin)
    except BaseException:
        await journal.close()
        raise
    return journal


async def test_orders_survive_and_are_replaced_and_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "orders.sqlite"
    journal = await opened(path)
    assert await journal.load() == []
    await journal.save(order(1, OrderState.PLANNED))
    await journal.save(order(1))
    await journal.save(order(2))
    await journal.save(order(3))
    await journal.forget([order(2).hash])
    await journal.close()
    again = await opened(path)
    assert await again.load() == [order(1), order(3)]
    await again.close()


async def test_another_process_cannot_open_it(tmp_path: Path) -> None:
    path = tmp_path / "orders.sqlite"
    journal = await opened(path)
    with pytest.raises(JournalUnusable, match="another process holds it; a pool has one order publisher"):
        await opened(path)
    await journal.close()
    await (await opened(path)).close()


async def test_a_killed_process_leaves_its_orders_and_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "orders.sqlite"
    code = f"""
import asyncio, os
from pathlib import Path
from services.order_publisher.tests.adapters.test_sqlite_journal import opened, order
async def main():
    journal = await opened(Path({str(path)!r}))
    await journal.save(order(1))
    os.kill(os.getpid(), 9)
asyncio.run(main())
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([".", *sys.path])}
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, env=environment)
    assert await asyncio.wait_for(process.wait(), 60) == -9
    journal = await opened(path)
    assert await journal.load() == [order(1)]
    await journal.close()


async def test_an_order_waits_for_room_on_a_full_volume(small_volume: MountVolume) -> None:
    volume = small_volume(512 << 10)
    waits: list[str | None] = []
    journal = SqliteJournal(volume.path / "orders.sqlite", on_failure=unexpected, on_wait=waits.append)
    await journal.open(ORIGIN)
    volume.fill()
    saved = [asyncio.ensure_future(journal.save(order(number))) for number in range(1, 101)]
    async with asyncio.timeout(PATIENCE_S):
        while not waits:
            await asyncio.sleep(0.01)
        assert "cannot be written" in str(waits[0])
        assert not saved[-1].done()
        volume.free()
        await asyncio.gather(*saved)
    assert waits[-1] is None
    assert len(await journal.load()) == 100
    await journal.close()


async def test_the_orders_of_another_pool_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "orders.sqlite"
    await (await opened(path)).close()
    with pytest.raises(
        JournalUnusable, match="it holds the orders of pool 0xab on chain 1, not of pool 0xcd"
    ):
        await opened(path, "pool 0xcd on chain 1")


async def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "orders.sqlite"
    path.write_text("no database, " * 100)
    with pytest.raises(JournalUnusable, match="cannot be opened"):
        await opened(path)
