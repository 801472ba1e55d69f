"""DOWNLOAD_APP and DOWNLOAD_DATA: success, and failures that become results."""

import hashlib
from pathlib import Path

import pytest
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause
from workerpool_worker.app.replicate import Replicate
from workerpool_worker.app.steps.download import download_app, download_data
from workerpool_worker.domain.environment import input_file_name
from workerpool_worker.domain.stages import Stage
from workerpool_worker.errors import HostStorageUnavailable

from services.worker.tests.doubles.downloader import FakeDownloader
from services.worker.tests.harness.builders import WORKER, assignment
from services.worker.tests.harness.context import make_context, make_replicate, updates
from services.worker.tests.harness.waiting import wait_until

URL = "https://files.test/data"
CHECKSUM = "0x" + hashlib.sha256(b"data").hexdigest()


def replicate_with(tmp_path: Path, downloader: FakeDownloader | None = None, **task: object) -> Replicate:
    context = make_context(tmp_path, downloader=downloader or FakeDownloader())
    return make_replicate(context, assigned=assignment(**task), stage=Stage.DOWNLOAD_DATA)  # type: ignore[arg-type]


async def contributed_failure(replicate: Replicate) -> tuple[ReplicateStatus, ReplicateStatusCause | None]:
    """Return status and cause of a failure that became the replicate's result."""
    assert replicate.record.stage is Stage.CONTRIBUTE
    assert replicate.record.result_available
    (update,) = await wait_until(lambda: updates(replicate.context))
    return update.status, update.details.cause


async def test_an_image_on_the_host_is_used(tmp_path: Path) -> None:
    replicate = make_replicate(make_context(tmp_path), stage=Stage.DOWNLOAD_APP)
    await download_app(replicate)
    assert replicate.record.stage is Stage.DOWNLOAD_DATA


@pytest.mark.parametrize("uri", ["missing:1", "name without tag"])
async def test_a_missing_image_becomes_the_result(tmp_path: Path, uri: str) -> None:
    replicate = make_replicate(
        make_context(tmp_path), assigned=assignment(app_uri=uri), stage=Stage.DOWNLOAD_APP
    )
    await download_app(replicate)
    assert await contributed_failure(replicate) == (
        ReplicateStatus.APP_DOWNLOAD_FAILED,
        ReplicateStatusCause.APP_IMAGE_DOWNLOAD_FAILED,
    )


async def test_a_task_without_data_downloads_nothing(tmp_path: Path) -> None:
    replicate = replicate_with(tmp_path)
    await download_data(replicate)
    assert replicate.record.stage is Stage.COMPUTE


async def test_dataset_and_input_files_are_saved_where_the_app_looks(tmp_path: Path) -> None:
    replicate = replicate_with(
        tmp_path,
        FakeDownloader({URL: b"data", "https://files.test/input": b"input"}),
        dataset_address=WORKER,
        dataset_uri=URL,
        dataset_checksum=CHECKSUM,
        input_files=("https://files.test/input", "https://files.test/input"),
    )
    await download_data(replicate)
    assert (replicate.folder.input / WORKER).read_bytes() == b"data"
    assert (replicate.folder.input / input_file_name("https://files.test/input")).read_bytes() == b"input"
    assert replicate.record.stage is Stage.COMPUTE


async def test_gateways_are_tried_in_order(tmp_path: Path) -> None:
    downloader = FakeDownloader({"https://gateway.test/ipfs/Qm1": b"data"})
    replicate = replicate_with(
        tmp_path, downloader, dataset_address=WORKER, dataset_uri="/ipfs/Qm1", dataset_checksum=CHECKSUM
    )
    await download_data(replicate)
    assert downloader.requested == ["https://gateway.test/ipfs/Qm1"]
    assert replicate.record.stage is Stage.COMPUTE


@pytest.mark.parametrize(
    ("files", "checksum", "cause"),
    [
        ({URL: b"data"}, "0x" + "00" * 32, ReplicateStatusCause.DATASET_FILE_BAD_CHECKSUM),
        ({URL: b"other data"}, CHECKSUM, ReplicateStatusCause.DATASET_FILE_BAD_CHECKSUM),
        ({}, CHECKSUM, ReplicateStatusCause.DATASET_FILE_DOWNLOAD_FAILED),
    ],
    ids=["no checksum on chain", "other content", "not found"],
)
async def test_a_dataset_failure_becomes_the_result(
    tmp_path: Path, files: dict[str, bytes], checksum: str, cause: ReplicateStatusCause
) -> None:
    replicate = replicate_with(
        tmp_path,
        FakeDownloader(files),
        dataset_address=WORKER,
        dataset_uri=URL,
        dataset_checksum=checksum,
    )
    await download_data(replicate)
    assert await contributed_failure(replicate) == (ReplicateStatus.DATA_DOWNLOAD_FAILED, cause)
    assert not (replicate.folder.input / WORKER).exists()


async def test_a_missing_input_file_becomes_the_result(tmp_path: Path) -> None:
    replicate = replicate_with(tmp_path, input_files=(URL,))
    await download_data(replicate)
    assert await contributed_failure(replicate) == (
        ReplicateStatus.DATA_DOWNLOAD_FAILED,
        ReplicateStatusCause.INPUT_FILES_DOWNLOAD_FAILED,
    )


async def test_a_full_disk_is_not_contributed_as_a_failure_of_the_file(tmp_path: Path) -> None:
    replicate = replicate_with(tmp_path, FakeDownloader({URL: b"data"}, disk_full=True), input_files=(URL,))
    with pytest.raises(HostStorageUnavailable):
        await download_data(replicate)
