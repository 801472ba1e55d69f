"""Reads of stored results."""

from typing import Any

import pytest
from workerpool_poco.protocol.ids import TaskId
from workerpool_result_proxy.app.read_result import ReadResult
from workerpool_result_proxy.domain.results import GRIDFS
from workerpool_result_proxy.errors import (
    OffsetBeyondEnd,
    ResultIncomplete,
    ResultNotFound,
    StorageUnavailable,
)

World = Any


async def test_a_stored_result_is_described_and_read_in_parts(world: World) -> None:
    stored = await world.upload()
    results = ReadResult(world.store, {GRIDFS: world.archives})
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
        ReadResult(world.store, {GRIDFS: world.archives}).content(stored, first=stored.size + 1)


async def test_a_task_without_result_is_not_found(world: World) -> None:
    with pytest.raises(ResultNotFound):
        await ReadResult(world.store, {GRIDFS: world.archives}).describe(TaskId("0x" + "77" * 32))


async def test_bytes_that_the_store_lost_are_named_with_a_next_step(world: World) -> None:
    stored = await world.upload()
    world.archives.files[stored.file_id] = world.archive[:20]
    results = ReadResult(world.store, {GRIDFS: world.archives})
    with pytest.raises(ResultIncomplete, match="operator to restore it") as refused:
        await anext(results.content(stored))
    assert refused.value.details == {"task": stored.task_id, "storage": GRIDFS, "file": stored.file_id}
    part = results.content(stored, length=20)
    assert [piece async for piece in part] == [world.archive[:20]]


async def test_a_result_that_is_removed_while_it_is_read_is_not_called_lost(world: World) -> None:
    stored = await world.upload()
    results = ReadResult(world.store, {GRIDFS: world.archives})
    content = results.content(stored)
    del world.store.results[stored.task_id]
    await world.archives.delete(stored.file_id)
    with pytest.raises(ResultNotFound, match="removed while it was read"):
        await anext(content)


async def test_a_store_that_is_no_longer_set_is_named(world: World) -> None:
    stored = await world.upload()
    with pytest.raises(StorageUnavailable, match="stored in gridfs"):
        ReadResult(world.store, {}).content(stored)
