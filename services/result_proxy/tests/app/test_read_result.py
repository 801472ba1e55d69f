"""Reads of stored results."""

from typing import Any

import pytest
from workerpool_poco.protocol.ids import TaskId
from workerpool_result_proxy.app.read_result import ReadResult
from workerpool_result_proxy.errors import OffsetBeyondEnd, ResultNotFound

World = Any


async def test_a_stored_result_is_described_and_read_in_parts(world: World) -> None:
    stored = await world.upload()
    results = ReadResult(world.store, world.archives)
    assert await results.describe(stored.task_id) == stored
    for first, length, expected in (
        (0, None, world.archive),
        (5, None, world.archive[5:]),
        (5, 7, world.archive[5:12]),
        (5, stored.size, world.archive[5:]),
        (stored.size, None, b""),
    ):
        content = results.content(stored, first=first, length=length)
        assert b"".join([piece async for piece in content]) == expected


async def test_an_offset_after_the_end_is_refused(world: World) -> None:
    stored = await world.upload()
    with pytest.raises(OffsetBeyondEnd):
        ReadResult(world.store, world.archives).content(stored, first=stored.size + 1)


async def test_a_task_without_result_is_not_found(world: World) -> None:
    with pytest.raises(ResultNotFound):
        await ReadResult(world.store, world.archives).describe(TaskId("0x" + "77" * 32))
