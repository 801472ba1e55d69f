"""Broken uploads are continued; disks keep a floor of free bytes."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from patience import PATIENCE_S
from workerpool_poco.protocol.ids import TaskId
from workerpool_result_proxy import errors

World = Any
WORKER = "0x" + "11" * 20


async def broken(world: World, *, sent: int = 50) -> Any:
    """Let an upload break after some bytes; return the use case."""
    use_case = world.use_case()
    stream = world.stream(world.declaration(), world.archive[:sent], stalls=True)
    with pytest.raises(errors.UploadStalled, match="continue"):
        await use_case.upload(WORKER, stream)
    return use_case


async def test_a_broken_upload_continues_where_it_broke(world: World) -> None:
    use_case = await broken(world)
    declared = world.declaration()
    assert use_case.offset(WORKER, declared) == 50
    assert (world.archives.files, world.store.leased()) == ({}, [])
    rest = world.stream(replace(declared, offset=50), world.archive[50:])
    stored = await use_case.upload(WORKER, rest)
    assert world.archives.files == {stored.file_id: world.archive}
    assert world.temporary_files() == []


async def test_it_may_break_again(world: World) -> None:
    use_case = await broken(world)
    more = world.stream(world.declaration(offset=50), world.archive[50:70], stalls=True)
    with pytest.raises(errors.UploadStalled):
        await use_case.upload(WORKER, more)
    assert use_case.offset(WORKER, world.declaration()) == 70
    await use_case.upload(WORKER, world.stream(world.declaration(offset=70), world.archive[70:]))


async def test_an_upload_that_broke_after_its_last_byte_needs_no_more(world: World) -> None:
    size = len(world.archive)
    use_case = await broken(world, sent=size)
    assert use_case.offset(WORKER, world.declaration()) == size
    stored = await use_case.upload(WORKER, world.stream(world.declaration(offset=size)))
    assert world.archives.files == {stored.file_id: world.archive}


async def test_another_byte_than_the_next_is_refused_with_its_number(world: World) -> None:
    use_case = await broken(world)
    for offset in (49, 51):
        with pytest.raises(errors.OffsetMismatch) as refused:
            await use_case.upload(WORKER, world.stream(world.declaration(offset=offset)))
        assert refused.value.details == {"offset": "50"}
    await use_case.upload(WORKER, world.stream(world.declaration(offset=50), world.archive[50:]))


async def test_a_restarted_upload_discards_the_received_part(world: World) -> None:
    use_case = await broken(world)
    assert await use_case.upload(WORKER, world.stream())
    assert world.temporary_files() == []


async def test_another_archive_or_worker_continues_nothing(world: World) -> None:
    use_case = await broken(world)
    assert use_case.offset(WORKER, world.declaration(size=1)) == 0
    assert use_case.offset(WORKER, world.declaration(sha256=bytes(32))) == 0
    assert use_case.offset("0x" + "22" * 20, world.declaration()) == 0


async def test_bytes_that_are_not_the_declared_ones_are_not_kept(world: World) -> None:
    use_case = await broken(world)
    rest = bytes(len(world.archive) - 50)
    with pytest.raises(errors.ChecksumMismatch):
        await use_case.upload(WORKER, world.stream(world.declaration(offset=50), rest))
    assert use_case.offset(WORKER, world.declaration()) == 0
    assert world.temporary_files() == []


async def test_what_arrived_is_kept_for_a_while(world: World) -> None:
    use_case = await broken(world)
    world.clock.advance(59)
    await world.partials.purge()
    assert use_case.offset(WORKER, world.declaration()) == 50
    world.clock.advance(1)
    await world.partials.purge()
    assert use_case.offset(WORKER, world.declaration()) == 0
    assert world.temporary_files() == []


async def test_only_the_newest_broken_uploads_are_kept(world: World) -> None:
    await broken(world)
    for number in (2, 3):
        other = TaskId("0x" + f"{number:02x}" * 32)
        with pytest.raises(errors.UploadStalled):
            async with world.partials.archive(WORKER, world.declaration(task_id=other), 0) as archive:
                await archive.append(b"x")
                raise errors.UploadStalled("broken")
    assert world.partials.received(WORKER, world.declaration()) == 0
    assert len(world.temporary_files()) == 2


async def test_a_disk_that_would_be_too_full_refuses_in_words(world: World) -> None:
    world.floor = 1 << 60
    with pytest.raises(errors.StorageFull, match=r"temporary files has \d+ MiB free.*operator"):
        await world.upload()
    world.floor, world.archives.free = 100, 100 + len(world.archive) - 1
    with pytest.raises(errors.StorageFull, match="store of archives"):
        await world.upload()
    world.archives.free = 100 + len(world.archive)
    assert await world.upload()


async def test_uploads_in_progress_count(world: World) -> None:
    world.limits = replace(world.limits, stream=replace(world.limits.stream, idle_s=30))
    world.floor, world.archives.free = 100, 100 + 2 * len(world.archive) - 1
    use_case = world.use_case()
    first = asyncio.create_task(use_case.upload(WORKER, world.stream(world.declaration(), stalls=True)))
    async with asyncio.timeout(PATIENCE_S):
        while not world.temporary_files():
            await asyncio.sleep(0.001)
    other = "0x" + "22" * 20
    world.reveal_for(other)
    world.store.authorizations[world.task.task_id, other] = None
    with pytest.raises(errors.StorageFull, match="in progress"):
        await use_case.upload(other, world.stream())
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert await use_case.upload(other, world.stream())
