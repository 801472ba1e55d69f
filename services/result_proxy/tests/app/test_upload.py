"""What an upload needs, what refuses it, and what it leaves when it is interrupted."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ChainTaskStatus
from workerpool_result_proxy import errors
from workerpool_result_proxy.app.upload import purge_orphans
from workerpool_result_proxy.domain.results import StoredResult

World = Any
WORKER = "0x" + "11" * 20


async def test_an_archive_that_matches_the_revealed_digest_is_stored(world: World) -> None:
    stored = await world.upload()
    assert world.store.results == {stored.task_id: stored}
    assert world.archives.files == {stored.file_id: world.archive}
    assert json.loads(stored.result_link) == {"storage": "ipfs", "location": f"/results/{stored.task_id}"}
    assert (stored.uploader, stored.size) == (WORKER, len(world.archive))
    assert stored.stored_at.timestamp() == world.clock.now()
    assert await world.store.announced() == []


async def test_temporary_files_are_removed_after_success_and_refusal(world: World) -> None:
    await world.upload()
    with pytest.raises(errors.AlreadyStored):
        await world.upload()
    world.store.results.clear()
    with pytest.raises(errors.SizeMismatch):
        await world.upload(world.declaration(), b"short")
    assert world.temporary_files() == []


async def test_a_second_upload_is_refused_with_the_stored_link(world: World) -> None:
    stored = await world.upload()
    with pytest.raises(errors.AlreadyStored) as refused:
        await world.upload()
    assert refused.value.details["result_link"] == stored.result_link
    assert refused.value.details["uploader"] == WORKER


async def test_of_uploads_at_once_one_is_stored_and_no_bytes_are_orphaned(world: World) -> None:
    use_case = world.use_case()
    uploads = (use_case.upload(WORKER, world.stream()) for _ in range(4))
    outcomes = await asyncio.gather(*uploads, return_exceptions=True)
    (stored,) = [each for each in outcomes if isinstance(each, StoredResult)]
    assert [type(each) for each in outcomes if each is not stored] == [errors.AlreadyStored] * 3
    assert list(world.archives.files) == [stored.file_id]
    assert await world.store.announced() == []


async def test_a_wallet_without_authorization_is_refused(world: World) -> None:
    with pytest.raises(errors.NotAuthorized, match="request a token"):
        await world.use_case().upload("0x" + "22" * 20, world.stream())


async def test_a_large_archive_is_refused_before_its_first_byte(world: World) -> None:
    stream = world.stream(world.declaration(size=1 << 21), stalls=True)
    with pytest.raises(errors.ArchiveTooLarge):
        await world.use_case().upload(WORKER, stream)


async def test_a_reveal_that_the_node_sees_later_is_waited_for(world: World) -> None:
    world.contribute()
    upload = asyncio.create_task(world.upload())
    async with asyncio.timeout(5):
        while world.chain.reads < 4:
            await asyncio.sleep(0)
    assert not upload.done()
    world.reveal()
    await upload


async def test_a_reveal_that_does_not_appear_is_refused_in_time(world: World) -> None:
    world.contribute()
    async with asyncio.timeout(5):
        with pytest.raises(errors.NotRevealed, match="reveal it first"):
            await world.upload()


@pytest.mark.parametrize(
    ("status", "refusal"),
    [
        (ChainTaskStatus.ACTIVE, errors.TaskNotRevealing),
        (ChainTaskStatus.COMPLETED, errors.TaskNotRevealing),
    ],
)
async def test_a_task_in_another_phase_is_refused(
    world: World, status: ChainTaskStatus, refusal: type[Exception]
) -> None:
    world.chain.tasks[world.task.task_id] = replace(world.task, status=status)
    with pytest.raises(refusal):
        await world.upload()


async def test_the_deal_of_an_uninitialized_task_is_not_read(world: World) -> None:
    async def unreadable(_: object) -> None:
        raise AssertionError("no deal id is on chain")

    world.chain.deal = unreadable
    world.chain.tasks[world.task.task_id] = replace(world.task, status=ChainTaskStatus.UNSET)
    with pytest.raises(errors.TaskNotRevealing):
        await world.upload()


async def test_a_callback_task_is_refused(world: World) -> None:
    world.chain.deals[world.deal.deal_id] = replace(world.deal, callback=WORKER)
    with pytest.raises(errors.CallbackTask):
        await world.upload()


async def test_an_unreachable_node_refuses_uploads(world: World) -> None:
    world.chain.reachable = False
    with pytest.raises(errors.ChainUnreachable):
        await world.upload()


async def test_another_content_than_revealed_is_refused(
    world: World, zip_files: Callable[[dict[str, bytes]], bytes]
) -> None:
    world.archive = zip_files(
        {"computed.json": b'{"deterministic-output-path": "/iexec_out/r.txt"}', "r.txt": b"other"}
    )
    with pytest.raises(errors.ResultHashMismatch, match="the archive"):
        await world.upload()
    with pytest.raises(errors.ResultHashMismatch, match="the declared digest"):
        await world.upload(world.declaration(result_digest=bytes(32)))
    assert world.archives.files == {}


async def test_an_archive_without_result_is_refused_with_the_cause(
    world: World, zip_files: Callable[[dict[str, bytes]], bytes]
) -> None:
    world.archive = zip_files({"r.txt": b"a result"})
    with pytest.raises(errors.ArchiveWithoutDigest) as refused:
        await world.upload()
    assert refused.value.details["cause"]


async def test_uploads_beyond_the_limit_wait_and_are_refused(world: World) -> None:
    world.limits = replace(world.limits, slots=1, stream=replace(world.limits.stream, idle_s=30))
    use_case = world.use_case()
    first = asyncio.create_task(use_case.upload(WORKER, world.stream(world.declaration(), stalls=True)))
    async with asyncio.timeout(5):
        while not world.temporary_files():
            await asyncio.sleep(0.001)
    with pytest.raises(errors.TooManyUploads):
        await use_case.upload(WORKER, world.stream())
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await use_case.upload(WORKER, world.stream())


async def test_a_caller_that_disconnects_during_the_store_leaves_a_whole_result(world: World) -> None:
    put, begun, go_on = world.archives.put, asyncio.Event(), asyncio.Event()

    async def slow(file_id: str, path: Path) -> None:
        begun.set()
        await go_on.wait()
        await put(file_id, path)

    world.archives.put = slow
    upload = asyncio.create_task(world.upload())
    await begun.wait()
    upload.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await upload
    assert len(world.store.results) == len(world.archives.files) == 1


async def test_bytes_that_cannot_be_stored_are_discarded(world: World) -> None:
    async def fail(file_id: str, path: Path) -> None:
        world.archives.files[file_id] = b"half"
        raise OSError("no space")

    world.archives.put = fail
    with pytest.raises(OSError, match="no space"):
        await world.upload()
    assert (world.archives.files, await world.store.announced()) == ({}, [])


async def test_a_commit_of_unknown_outcome_keeps_the_announcement(world: World) -> None:
    async def fail(result: StoredResult) -> bool:
        raise ConnectionError("the answer was lost")

    world.store.commit = fail
    with pytest.raises(ConnectionError):
        await world.upload()
    assert await world.store.announced() == list(world.archives.files)
    assert await purge_orphans(world.store, world.archives) == 1
    assert (world.archives.files, await world.store.announced()) == ({}, [])


async def test_an_unknown_task_is_refused(world: World) -> None:
    unknown = TaskId("0x" + "77" * 32)
    world.store.authorizations[unknown, WORKER] = next(iter(world.store.authorizations.values()))
    with pytest.raises(errors.TaskNotRevealing, match="UNSET"):
        await world.upload(world.declaration(task_id=unknown))
