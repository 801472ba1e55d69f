"""UPLOAD: link of the archive, retries, refusals, callback tasks."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import stamina
from workerpool_kit.clock import FakeClock
from workerpool_kit.text.spans import utc
from workerpool_poco.protocol.ids import to_hex
from workerpool_poco.protocol.results import callback_digest
from workerpool_poco.protocol.statuses import ChainTaskStatus, ReplicateStatus, ReplicateStatusCause
from workerpool_worker.app.replicate import Replicate
from workerpool_worker.app.steps.upload import upload
from workerpool_worker.domain.record import Result
from workerpool_worker.domain.stages import Stage
from workerpool_worker.domain.updates import Details
from workerpool_worker.errors import StepFailed, UploadRefused

from services.worker.tests.doubles.chain import FakeChain
from services.worker.tests.doubles.result_store import FakeResultStore
from services.worker.tests.harness.builders import TASK_ID, WORKER, assignment, chain_task
from services.worker.tests.harness.context import PROXY, make_context, make_replicate, updates
from services.worker.tests.harness.waiting import wait_until

RESULT = Result(digest="0x" + "02" * 32, callback_data="0x1234")


def replicate_with(
    tmp_path: Path, *, archive: bool = True, task: dict[str, Any], result: Result = RESULT, **parts: Any
) -> Replicate:
    replicate = make_replicate(
        make_context(tmp_path, **parts), assigned=assignment(**task), stage=Stage.UPLOAD, result=result
    )
    replicate.folder.prepare_output()
    if archive:
        replicate.folder.archive.write_bytes(b"zip")
    return replicate


async def reported(replicate: Replicate) -> Details:
    (update,) = await wait_until(lambda: updates(replicate.context))
    assert update.status is ReplicateStatus.RESULT_UPLOADED
    found: Details = update.details
    return found


async def test_the_archive_is_uploaded_and_its_link_reported(tmp_path: Path) -> None:
    store = FakeResultStore({PROXY})
    replicate = replicate_with(tmp_path, task={}, store=store)
    await upload(replicate)
    assert (await reported(replicate)).result_link == f"/results/{TASK_ID}"
    assert store.results[TASK_ID] == (RESULT.digest, b"zip")
    assert replicate.record.stage is Stage.AWAIT_END


@pytest.mark.parametrize(
    "params",
    [
        {"result_storage_proxy": "https://result.example"},
        {"result_storage_proxy": "http://127.0.0.1:9"},
        {"result_storage_proxy": "not a url"},
        {"result_storage_proxy": PROXY},
        {"result_storage_provider": "dropbox"},
        {"result_storage_provider": "IPFS"},
    ],
)
async def test_deal_proxy_url_the_pools_own_proxy_is_used_for_any_params(
    tmp_path: Path, params: dict[str, str]
) -> None:
    store = FakeResultStore({PROXY})
    replicate = replicate_with(tmp_path, task=params, store=store)
    await upload(replicate)
    assert (await reported(replicate)).result_link == f"/results/{TASK_ID}"
    assert store.asked == [PROXY]


async def test_callback_failure_uploads_no_callback_data(tmp_path: Path) -> None:
    store = FakeResultStore(set())
    failed = Result(digest=to_hex(callback_digest(b"")), cause=ReplicateStatusCause.APP_IMAGE_DOWNLOAD_FAILED)
    replicate = replicate_with(tmp_path, task={"callback": WORKER}, store=store, result=failed)
    await upload(replicate)
    details = await reported(replicate)
    assert json.loads(details.result_link) == {"storage": "ethereum", "location": WORKER}
    assert details.callback_data == ""


async def test_an_unavailable_proxy_is_retried(tmp_path: Path) -> None:
    replicate = replicate_with(tmp_path, task={}, store=FakeResultStore({PROXY}, outages=2))
    with stamina.set_testing(True, attempts=10):
        await upload(replicate)
    await reported(replicate)


async def test_a_result_that_waits_for_its_upload_is_told_with_the_reason(tmp_path: Path) -> None:
    store = FakeResultStore(set())
    replicate = replicate_with(tmp_path, task={}, store=store)
    waiting = replicate.context.waiting_uploads
    with stamina.set_testing(True, attempts=1_000):
        uploading = asyncio.create_task(upload(replicate))
        (told,) = await wait_until(lambda: list(waiting.values()))
        store.reachable.add(PROXY)
        await uploading
    assert told == (
        f"the result of task {TASK_ID} is not uploaded yet: UNAVAILABLE: the proxy does not answer; the worker "
        f"retries until {utc(replicate.task.final_deadline)}"
    )
    assert waiting == {}


async def test_retries_end_at_the_final_deadline(tmp_path: Path) -> None:
    clock = FakeClock()
    task = {"final_deadline": clock.now() - 1}
    replicate = replicate_with(tmp_path, task=task, store=FakeResultStore(set()), clock=clock)
    with pytest.raises(StepFailed, match="UNAVAILABLE") as failed:
        await upload(replicate)
    assert failed.value.cause is ReplicateStatusCause.RESULT_LINK_MISSING
    assert replicate.context.waiting_uploads == {}


async def test_the_result_of_a_callback_task_goes_to_the_chain(tmp_path: Path) -> None:
    store = FakeResultStore(set())
    replicate = replicate_with(tmp_path, task={"callback": WORKER}, store=store)
    await upload(replicate)
    details = await reported(replicate)
    assert json.loads(details.result_link) == {"storage": "ethereum", "location": WORKER}
    assert details.callback_data == RESULT.callback_data
    assert store.results == {}


def refusing() -> FakeResultStore:
    return FakeResultStore({PROXY}, {TASK_ID: ("0x" + "ff" * 32, b"other")})


@pytest.mark.parametrize(
    ("archive", "task", "store", "message"),
    [
        (False, {}, FakeResultStore({PROXY}), "no longer on this worker"),
        (True, {}, refusing(), "another result"),
    ],
)
async def test_a_result_without_a_link_fails_with_the_reason(
    tmp_path: Path, archive: bool, task: dict[str, Any], store: FakeResultStore, message: str
) -> None:
    chain = FakeChain(chain_task=chain_task(status=ChainTaskStatus.REVEALING))
    replicate = replicate_with(tmp_path, archive=archive, task=task, store=store, chain=chain)
    with pytest.raises(StepFailed, match=message) as failed:
        await upload(replicate)
    assert failed.value.cause is ReplicateStatusCause.RESULT_LINK_MISSING


async def test_a_refusal_after_a_reorganization_waits_for_the_scheduler(tmp_path: Path) -> None:
    replicate = replicate_with(tmp_path, task={}, store=refusing())
    await upload(replicate)
    assert replicate.record.stage is Stage.AWAIT_UPLOAD


NOT_REVEALING = "the task is ACTIVE; results are accepted while it is REVEALING"


async def test_a_proxy_whose_node_is_behind_is_retried(tmp_path: Path) -> None:
    refusals = [UploadRefused(NOT_REVEALING, reason="TASK_NOT_REVEALING")] * 2
    store = FakeResultStore({PROXY}, refusals=refusals)
    chain = FakeChain(chain_task=chain_task(status=ChainTaskStatus.REVEALING))
    replicate = replicate_with(tmp_path, task={}, store=store, chain=chain)
    with stamina.set_testing(True, attempts=10):
        await upload(replicate)
    assert (await reported(replicate)).result_link == f"/results/{TASK_ID}"


@pytest.mark.parametrize("status", [ChainTaskStatus.COMPLETED, ChainTaskStatus.FAILED])
async def test_an_ended_task_ends_the_upload(tmp_path: Path, status: ChainTaskStatus) -> None:
    store = FakeResultStore({PROXY}, refusals=[UploadRefused(NOT_REVEALING, reason="TASK_NOT_REVEALING")])
    chain = FakeChain(chain_task=chain_task(status=status))
    replicate = replicate_with(tmp_path, task={}, store=store, chain=chain)
    with pytest.raises(StepFailed, match="ACTIVE"):
        await upload(replicate)
