"""What an upload needs, what refuses it, and what it leaves when it is interrupted."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from patience import PATIENCE_S
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ChainTaskStatus
from workerpool_result_proxy import errors
from workerpool_result_proxy.domain.results import StoredResult

from services.result_proxy.tests.doubles.store import MemoryStore

World = Any
WORKER = "0x" + "11" * 20


async def test_an_archive_that_matches_the_revealed_digest_is_stored(world: World) -> None:
    stored = await world.upload()
    assert world.store.results == {stored.task_id: stored}
    assert world.archives.files == {stored.file_id: world.archive}
    assert json.loads(stored.result_link) == {"storage": "ipfs", "location": f"/results/{stored.task_id}"}
    assert (stored.uploader, stored.size) == (WORKER, len(world.archive))
    assert stored.stored_at.timestamp() == world.clock.now()
    assert world.store.leased() == []


async def test_temporary_files_are_removed_after_success_and_refusal(world: World) -> None:
    await world.upload()
    with pytest.raises(errors.AlreadyStored):
        await world.upload()
    world.store.results.clear()
    with pytest.raises(errors.SizeMismatch):
        await world.upload(world.declaration(), b"short")
    assert world.temporary_files() == []


async def test_a_second_upload_is_refused_with_the_stored_link(world: World) -> None:
    """Scenario 34: an existing result."""
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
    refusals = [type(each) for each in outcomes if each is not stored]
    assert len(refusals) == 3
    # A worker has one upload of a task at a time; one that starts after the first has ended finds its result.
    assert set(refusals) <= {errors.AlreadyStored, errors.TooManyUploads}
    assert list(world.archives.files) == [stored.file_id]
    assert world.store.leased() == []


async def test_a_wallet_without_authorization_is_refused(world: World) -> None:
    with pytest.raises(errors.NotAuthorized, match="request a token"):
        await world.use_case().upload("0x" + "22" * 20, world.stream())


async def test_a_large_archive_is_refused_before_its_first_byte(world: World) -> None:
    stream = world.stream(world.declaration(size=1 << 21), stalls=True)
    with pytest.raises(errors.ArchiveTooLarge):
        await world.use_case().upload(WORKER, stream)


async def test_a_reveal_that_the_node_sees_later_is_waited_for(world: World) -> None:
    world.contribute()
    world.limits = replace(world.limits, reveal_wait_s=30)
    upload = asyncio.create_task(world.upload())
    async with asyncio.timeout(PATIENCE_S):
        while world.chain.reads < 4:
            await asyncio.sleep(0)
    assert not upload.done()
    world.reveal()
    await upload


async def test_a_reveal_that_does_not_appear_is_refused_in_time(world: World) -> None:
    """Scenario 34: the contribution is not REVEALED."""
    world.contribute()
    async with asyncio.timeout(PATIENCE_S):
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
    """Scenario 34: a task in another phase."""
    world.chain.tasks[world.task.task_id] = replace(world.task, status=status)
    with pytest.raises(refusal):
        await world.upload()


async def test_the_deal_of_an_uninitialized_task_is_not_read(world: World) -> None:
    """Scenario 34: neither task nor deal."""

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
    """Scenario 34: the wrong hash."""
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
    async with asyncio.timeout(PATIENCE_S):
        while not world.temporary_files():
            await asyncio.sleep(0.001)
    with pytest.raises(errors.TooManyUploads):
        await use_case.upload(WORKER, world.stream())
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await use_case.upload(WORKER, world.stream())


async def test_one_worker_holds_one_slot_for_a_task(world: World) -> None:
    world.limits = replace(world.limits, slots=2, stream=replace(world.limits.stream, idle_s=30))
    use_case = world.use_case()
    stalled = [
        asyncio.create_task(use_case.upload(WORKER, world.stream(world.declaration(), stalls=True)))
        for _ in range(5)
    ]
    async with asyncio.timeout(PATIENCE_S):
        while sum(task.done() for task in stalled) < 4:
            await asyncio.sleep(0.001)
    assert len(world.temporary_files()) == 1
    for task in stalled:
        task.cancel()
    refusals = await asyncio.gather(*stalled, return_exceptions=True)
    assert sum(isinstance(refusal, errors.TooManyUploads) for refusal in refusals) == 4


async def test_an_upload_without_rights_takes_no_slot(world: World) -> None:
    world.contribute()
    world.limits = replace(world.limits, slots=1, reveal_wait_s=30)
    use_case = world.use_case()
    waiting = asyncio.create_task(use_case.upload(WORKER, world.stream()))
    for _ in range(50):
        await asyncio.sleep(0)
        assert not use_case._slots.locked()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)


async def test_a_caller_that_disconnects_during_the_store_leaves_a_whole_result(world: World) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        begun.set()
        await go_on.wait()

    world.archives.finishing = slow
    upload = asyncio.create_task(world.upload())
    await begun.wait()
    upload.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await upload
    assert len(world.store.results) == len(world.archives.files) == 1


async def test_bytes_that_cannot_be_stored_are_discarded(world: World) -> None:
    world.archives.fail_after = 60
    with pytest.raises(errors.StorageUnavailable):
        await world.upload()
    assert (world.archives.files, world.store.leased()) == ({}, [])


async def test_a_commit_of_unknown_outcome_keeps_the_lease_until_it_expires(world: World) -> None:
    async def fail(result: StoredResult) -> bool:
        raise ConnectionError("the answer was lost")

    world.store.commit = fail
    with pytest.raises(ConnectionError):
        await world.upload()
    assert world.store.leased() == list(world.archives.files)
    assert await world.leases.purge_orphans() == 0
    assert await world.leases.purge_orphans(dead=["one"]) == 1
    assert (world.archives.files, world.store.leased()) == ({}, [])


async def test_an_upload_whose_lease_another_process_took_is_refused(world: World) -> None:
    other = MemoryStore(owner="other", beside=world.store)

    async def taken() -> None:
        assert len(await other.claim_orphans(dead=["one"])) == 1

    world.archives.finishing = taken
    use_case = world.use_case()
    with pytest.raises(errors.LeaseLost, match="lease"):
        await use_case.upload(WORKER, world.stream())
    assert world.store.results == {}
    # Its worker continues: all bytes are still here.
    world.archives.finishing = None
    declared = world.declaration(offset=len(world.archive))
    assert await use_case.upload(WORKER, world.stream(declared))


async def test_the_location_of_the_store_is_the_link(world: World) -> None:
    world.archives.location = "/ipfs/bafy"
    stored = await world.upload()
    assert json.loads(stored.result_link) == {"storage": "ipfs", "location": "/ipfs/bafy"}


async def test_expired_results_and_their_bytes_are_removed(world: World) -> None:
    stored = await world.upload()
    assert await world.leases.purge_expired(stored.stored_at) == 0
    assert await world.leases.purge_expired(stored.stored_at + timedelta(seconds=1)) == 1
    assert (world.store.results, world.archives.files, world.store.leased()) == ({}, {}, [])


async def test_an_unknown_task_is_refused(world: World) -> None:
    """Scenario 34: no task."""
    unknown = TaskId("0x" + "77" * 32)
    world.store.authorizations[unknown, WORKER] = next(iter(world.store.authorizations.values()))
    with pytest.raises(errors.TaskNotRevealing, match="UNSET"):
        await world.upload(world.declaration(task_id=unknown))


async def test_a_folder_that_cannot_be_written_refuses_the_upload(world: World) -> None:
    """Scenario 34: an archive that cannot be written."""
    world.workspace.close()
    with pytest.raises(OSError, match="No such file"):
        await world.upload()
    assert (world.archives.files, world.store.leased()) == ({}, [])
