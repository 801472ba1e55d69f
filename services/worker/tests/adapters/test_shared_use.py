"""The last process that uses a thing learns that it is the last."""

import asyncio
from pathlib import Path

import pytest
from patience import PATIENCE_S
from workerpool_worker.adapters.shared_use import SharedUse


async def test_only_the_last_user_is_the_last(tmp_path: Path) -> None:
    first, second = SharedUse(tmp_path, "thing"), SharedUse(tmp_path, "thing")
    first.join()
    second.join()
    assert not first.leave()
    assert second.leave()


async def test_leaving_twice_is_harmless(tmp_path: Path) -> None:
    use = SharedUse(tmp_path, "thing")
    use.join()
    assert use.leave()
    assert not use.leave()


async def test_changes_happen_one_at_a_time(tmp_path: Path) -> None:
    order: list[str] = []

    async def change(name: str) -> None:
        async with SharedUse(tmp_path, "thing").changing():
            order.append(name)
            await asyncio.sleep(0)
            order.append(name)

    await asyncio.gather(change("a"), change("b"), change("c"))
    assert order[0::2] == order[1::2]


async def test_a_change_may_give_up_instead_of_waiting(tmp_path: Path) -> None:
    async with SharedUse(tmp_path, "thing").changing():
        with pytest.raises(BlockingIOError):
            async with SharedUse(tmp_path, "thing").changing(wait=False):
                raise AssertionError("two are inside")


async def test_a_wait_that_is_cancelled_ends_at_once_and_keeps_nothing(tmp_path: Path) -> None:
    async def change() -> None:
        async with SharedUse(tmp_path, "thing").changing():
            pass

    async with SharedUse(tmp_path, "thing").changing():
        waiting = asyncio.create_task(change())
        done, _ = await asyncio.wait({waiting}, timeout=0.2)
        assert not done
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(waiting, PATIENCE_S)
    await asyncio.wait_for(change(), PATIENCE_S)
