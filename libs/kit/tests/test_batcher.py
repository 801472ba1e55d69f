"""Group commit: batches form while a write runs; each caller gets its own answer or the write's error."""

import asyncio
from collections.abc import Sequence

import pytest
from workerpool_kit.batcher import Batcher


class Writer:
    """A write that waits for `go`, and squares numbers. Negative batches fail."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.batches: list[list[int]] = []

    async def __call__(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        await self.go.wait()
        if min(items) < 0:
            raise OSError("disk full")
        return [item * item for item in items]


async def begun(writer: Writer) -> None:
    while not writer.batches:
        await asyncio.sleep(0)


async def test_lone_item_is_written_at_once() -> None:
    writer = Writer()
    writer.go.set()
    assert await Batcher(writer)(3) == 9
    assert writer.batches == [[3]]


async def test_items_put_during_a_write_share_the_next_one_in_order() -> None:
    writer = Writer()
    batcher = Batcher(writer)
    first = batcher.put(1)
    await begun(writer)
    others = [batcher.put(number) for number in (2, 3, 4)]
    writer.go.set()
    assert await asyncio.gather(first, *others) == [1, 4, 9, 16]
    assert writer.batches == [[1], [2, 3, 4]]


async def test_batch_holds_at_most_the_given_number() -> None:
    writer = Writer()
    writer.go.set()
    batcher = Batcher(writer, max_items=2)
    assert await asyncio.gather(*(batcher(number) for number in range(5))) == [0, 1, 4, 9, 16]
    assert writer.batches == [[0, 1], [2, 3], [4]]


async def test_failed_write_fails_its_batch_and_no_other() -> None:
    writer = Writer()
    batcher = Batcher(writer)
    first = batcher.put(-1)
    await begun(writer)
    second = batcher.put(2)
    writer.go.set()
    with pytest.raises(OSError, match="disk full"):
        await first
    assert await second == 4


async def test_cancelled_caller_does_not_undo_the_write_of_the_others() -> None:
    writer = Writer()
    batcher = Batcher(writer)
    given_up, kept = batcher.put(1), batcher.put(2)
    await begun(writer)
    given_up.cancel()
    writer.go.set()
    assert await kept == 4
    assert writer.batches == [[1, 2]]


async def test_write_with_too_few_answers_fails_instead_of_hanging() -> None:
    async def forgetful(items: Sequence[int]) -> list[int]:
        return [0 for _ in items][1:]

    with pytest.raises(RuntimeError, match="returned 0 answers"):
        await Batcher(forgetful)(1)


async def test_drained_waits_for_everything_put_before() -> None:
    writer = Writer()
    batcher = Batcher(writer, max_items=1)
    futures = [batcher.put(number) for number in (1, 2)]
    await begun(writer)
    asyncio.get_running_loop().call_soon(writer.go.set)
    await batcher.drained()
    assert [future.done() for future in futures] == [True, True]
    await batcher.drained()
