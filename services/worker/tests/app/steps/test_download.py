"""DOWNLOAD_APP and DOWNLOAD_DATA: success, the requester's faults, the host's failures."""

import asyncio
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from workerpool_poco.protocol.app_environment import input_file_name
from workerpool_poco.protocol.statuses import ReplicateStatusCause as Cause
from workerpool_worker.app.replicate import Replicate
from workerpool_worker.app.steps.download import download_app, download_data
from workerpool_worker.domain.fetching.limits import DownloadLimits, TaskQuota
from workerpool_worker.domain.stages import Stage
from workerpool_worker.errors import (
    DownloadFailed,
    HostNetworkUnavailable,
    HostStorageUnavailable,
    ImageSlow,
    ImageUnavailable,
    PublicRegistryUnavailable,
    RegistryAbsent,
    RegistryLoginRefused,
    RegistryRefused,
    RegistryUnavailable,
    ServerBusy,
    ServerDown,
    StepFailed,
    TaskFault,
    WorkerError,
)

from services.worker.tests.doubles.downloader import FakeDownloader
from services.worker.tests.doubles.engine import FakeEngine
from services.worker.tests.harness.builders import WORKER, assignment
from services.worker.tests.harness.context import POLICY, make_context, make_replicate

URL = "https://files.test/data"
OTHER_URL = "https://other.test/data"
CHECKSUM = "0x" + hashlib.sha256(b"data").hexdigest()
DATASET: dict[str, Any] = {"dataset_address": WORKER, "dataset_uri": URL, "dataset_checksum": CHECKSUM}
IPFS_PATH = "/ipfs/QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG"
IPFS_DATASET = DATASET | {"dataset_uri": IPFS_PATH}


class Engine(FakeEngine):
    """An engine whose pulls fail with an error."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    async def ensure_image(self, image: str, limit_s: float) -> None:
        raise self._error


def replicate_with(
    tmp_path: Path,
    downloader: FakeDownloader | None = None,
    *,
    stage: Stage = Stage.DOWNLOAD_DATA,
    policy: dict[str, Any] | None = None,
    engine: FakeEngine | None = None,
    **task: Any,
) -> Replicate:
    parts: dict[str, Any] = {"engine": engine} if engine else {}
    context = make_context(
        tmp_path, downloader=downloader or FakeDownloader(), policy=replace(POLICY, **(policy or {})), **parts
    )
    return make_replicate(context, assigned=assignment(**task), stage=stage)


async def test_an_image_on_the_host_is_used(tmp_path: Path) -> None:
    replicate = replicate_with(tmp_path, stage=Stage.DOWNLOAD_APP)
    await download_app(replicate)
    assert replicate.record.stage is Stage.DOWNLOAD_DATA


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"app_uri": "missing:1"}, Cause.APP_IMAGE_DOWNLOAD_FAILED),
        ({"app_uri": "name without tag"}, Cause.APP_IMAGE_NAME_INVALID),
        ({"app_uri": "missing:1", "result_encryption": True}, Cause.DEAL_PARAMS_INVALID),
        ({"app_uri": "missing:1", "input_files": ("ftp://h/x",)}, Cause.INPUT_FILES_DOWNLOAD_FAILED),
        ({"app_uri": "missing:1", **DATASET, "dataset_checksum": ""}, Cause.DATASET_FILE_BAD_CHECKSUM),
        ({"app_uri": "missing:1", **DATASET, "dataset_uri": ""}, Cause.DATASET_FILE_DOWNLOAD_FAILED),
    ],
    ids=[
        "no such image",
        "image name",
        "encryption-standard",
        "data-url-forms",
        "data-no-checksum",
        "no URI",
    ],
)
async def test_a_fault_of_the_requester_is_found_before_a_pull(
    tmp_path: Path, fields: dict[str, Any], cause: Cause
) -> None:
    with pytest.raises(TaskFault) as fault:
        await download_app(replicate_with(tmp_path, stage=Stage.DOWNLOAD_APP, **fields))
    assert fault.value.cause is cause


@pytest.mark.parametrize(
    ("error", "online", "failure", "cause"),
    [
        (RegistryUnavailable("no answer"), True, TaskFault, Cause.APP_REGISTRY_UNAVAILABLE),
        (RegistryUnavailable("no answer"), False, StepFailed, Cause.HOST_FAILED),
        (RegistryAbsent("no answer"), True, TaskFault, Cause.APP_IMAGE_DOWNLOAD_FAILED),
        (RegistryAbsent("no answer"), False, StepFailed, Cause.HOST_FAILED),
        (RegistryRefused("no answer"), False, TaskFault, Cause.APP_IMAGE_DOWNLOAD_FAILED),
        (ImageSlow("no answer"), True, TaskFault, Cause.APP_REGISTRY_UNAVAILABLE),
        (PublicRegistryUnavailable("no answer"), True, StepFailed, Cause.PUBLIC_REGISTRY_UNAVAILABLE),
        (PublicRegistryUnavailable("no answer"), False, StepFailed, Cause.HOST_FAILED),
        (RegistryLoginRefused("no answer"), True, StepFailed, Cause.HOST_FAILED),
        (HostNetworkUnavailable("no answer"), True, StepFailed, Cause.HOST_FAILED),
        (ImageUnavailable("no answer"), False, TaskFault, Cause.APP_IMAGE_DOWNLOAD_FAILED),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
async def test_an_outage_of_the_registry(
    tmp_path: Path,
    error: Exception,
    online: bool,
    failure: type[WorkerError],
    cause: Cause,
) -> None:
    replicate = replicate_with(
        tmp_path, FakeDownloader(online=online), stage=Stage.DOWNLOAD_APP, engine=Engine(error)
    )
    with pytest.raises(failure, match="no answer") as raised:
        await download_app(replicate)
    assert raised.value.reason == cause.value


async def test_a_task_without_data_downloads_nothing(tmp_path: Path) -> None:
    replicate = replicate_with(tmp_path)
    await download_data(replicate)
    assert replicate.record.stage is Stage.COMPUTE


async def test_dataset_and_input_files_are_saved_where_the_app_looks(tmp_path: Path) -> None:
    """URLs with the same last part are different files; a URL that is named twice is downloaded once."""
    files = {URL: b"data", OTHER_URL: b"other", f"{URL}?v=2": b"newer"}
    downloader = FakeDownloader(files)
    replicate = replicate_with(
        tmp_path, downloader, **DATASET, input_files=(URL, OTHER_URL, f"{URL}?v=2", OTHER_URL)
    )
    await download_data(replicate)
    assert (replicate.folder.input / WORKER).read_bytes() == b"data"
    for url, content in files.items():
        assert (replicate.folder.input / input_file_name(url)).read_bytes() == content
    assert sorted(downloader.requested) == sorted([URL, *files])
    assert replicate.record.stage is Stage.COMPUTE


@pytest.mark.parametrize(
    "url", ["https://h/..", "https://h/", "https://h/a%2Fb", "https://h/é ?x", "https://h/.part"]
)
async def test_odd_names_of_input_files_stay_in_the_folder(tmp_path: Path, url: str) -> None:
    replicate = replicate_with(tmp_path, FakeDownloader({url: b"x"}), input_files=(url,))
    await download_data(replicate)
    assert [path.name for path in replicate.folder.input.iterdir()] == [input_file_name(url)]


GATEWAYS = ("https://one.test", "https://two.test", "https://three.test")
ONE, TWO, THREE = (f"{gateway}{IPFS_PATH}" for gateway in GATEWAYS)


@pytest.mark.parametrize(
    ("files", "requested"),
    [
        ({ONE: b"data"}, 1),
        ({TWO: b"data"}, 2),
        ({THREE: b"data"}, 3),
        ({ONE: b"<html>", TWO: b"data"}, 2),
    ],
    ids=["the first has it", "the second has it", "the third has it", "the first has something else"],
)
async def test_gateways_are_tried_in_order(tmp_path: Path, files: dict[str, bytes], requested: int) -> None:
    """Scenario 17: the dataset comes from gateway 1, 2 or 3."""
    downloader = FakeDownloader(files)
    replicate = replicate_with(tmp_path, downloader, policy={"ipfs_gateways": GATEWAYS}, **IPFS_DATASET)
    await download_data(replicate)
    assert downloader.requested == [ONE, TWO, THREE][:requested]
    assert downloader.gateways == downloader.requested
    assert (replicate.folder.input / WORKER).read_bytes() == b"data"


@pytest.mark.parametrize(
    "uri", [f"https://pinned.test{IPFS_PATH}?token=secret", f"https://pinned.test{IPFS_PATH}"]
)
async def test_a_gateway_named_by_the_owner_is_tried_before_the_operators(tmp_path: Path, uri: str) -> None:
    downloader = FakeDownloader({TWO: b"data"})
    replicate = replicate_with(
        tmp_path, downloader, policy={"ipfs_gateways": GATEWAYS}, **(DATASET | {"dataset_uri": uri})
    )
    await download_data(replicate)
    assert downloader.requested == [uri, ONE, TWO]
    assert downloader.gateways == [ONE, TWO], "the address of a requester's gateway is checked"


@pytest.mark.parametrize("spelling", [IPFS_PATH, f"ipfs://{IPFS_PATH.removeprefix('/ipfs/')}"])
async def test_input_files_are_fetched_over_ipfs_too(tmp_path: Path, spelling: str) -> None:
    """The app finds the file under the SHA-256 of the text that its requester wrote."""
    downloader = FakeDownloader({TWO: b"x"})
    replicate = replicate_with(
        tmp_path, downloader, policy={"ipfs_gateways": GATEWAYS}, input_files=(spelling, URL)
    )
    downloader.files[URL] = b"y"
    await download_data(replicate)
    assert (replicate.folder.input / input_file_name(spelling)).read_bytes() == b"x"
    assert (replicate.folder.input / input_file_name(URL)).read_bytes() == b"y"


DOWN, BUSY = ServerDown("connection refused"), ServerBusy("the server answered 429")


@pytest.mark.parametrize(
    ("outages", "cause"),
    [
        ((DOWN, DOWN, DOWN), Cause.HOST_FAILED),
        ((BUSY, BUSY, BUSY), Cause.PUBLIC_REGISTRY_UNAVAILABLE),
        ((DOWN, BUSY, DOWN), Cause.PUBLIC_REGISTRY_UNAVAILABLE),
    ],
    ids=["down", "busy", "one is busy"],
)
@pytest.mark.parametrize("task", [IPFS_DATASET, {"input_files": (IPFS_PATH,)}], ids=["dataset", "input file"])
async def test_failing_gateways_are_not_the_requesters_fault(
    tmp_path: Path, task: dict[str, Any], outages: tuple[DownloadFailed, ...], cause: Cause
) -> None:
    """Scenario 17, no gateway: the task goes to another worker, and nothing is contributed."""
    downloader = FakeDownloader(failures=dict(zip((ONE, TWO, THREE), outages, strict=True)))
    replicate = replicate_with(tmp_path, downloader, policy={"ipfs_gateways": GATEWAYS}, **task)
    with pytest.raises(StepFailed, match="WORKERPOOL_IPFS_GATEWAYS") as failed:
        await download_data(replicate)
    assert failed.value.cause is cause


@pytest.mark.parametrize(
    ("task", "files", "cause", "message"),
    [
        (
            DATASET | {"dataset_checksum": "0x" + "00" * 32},
            {URL: b"data"},
            Cause.DATASET_FILE_BAD_CHECKSUM,
            "its checksum on chain is 0x00",
        ),
        (DATASET, {URL: b"other data"}, Cause.DATASET_FILE_BAD_CHECKSUM, "the dataset's SHA-256 is 0x"),
        (DATASET, {}, Cause.DATASET_FILE_DOWNLOAD_FAILED, f"{URL} cannot be downloaded"),
        (IPFS_DATASET, {}, Cause.DATASET_FILE_DOWNLOAD_FAILED, f"{THREE} cannot be"),
        (
            IPFS_DATASET,
            {ONE: b"<html>"},
            Cause.DATASET_FILE_BAD_CHECKSUM,
            "the dataset's SHA-256 is 0x",
        ),
        (DATASET | {"dataset_uri": "ftp://x"}, {}, Cause.DATASET_FILE_DOWNLOAD_FAILED, "only http and https"),
        (DATASET | {"dataset_uri": "ipfs://Qm1"}, {}, Cause.DATASET_FILE_DOWNLOAD_FAILED, "no content id"),
        ({"input_files": (IPFS_PATH,)}, {}, Cause.INPUT_FILES_DOWNLOAD_FAILED, f"{THREE} cannot be"),
        ({"input_files": (URL,)}, {}, Cause.INPUT_FILES_DOWNLOAD_FAILED, f"{URL} cannot be downloaded"),
        ({"input_files": (URL, OTHER_URL)}, {}, Cause.INPUT_FILES_DOWNLOAD_FAILED, "answered 404"),
    ],
    ids=[
        "data-no-checksum",
        "other content",
        "not found",
        "no gateway has it",
        "one gateway has something else",
        "malformed",
        "malformed IPFS path",
        "no gateway has the input file",
        "input file not found",
        "two input files not found",
    ],
)
async def test_a_fault_of_the_requester_has_one_reason(
    tmp_path: Path, task: dict[str, Any], files: dict[str, bytes], cause: Cause, message: str
) -> None:
    """Scenarios 17 and 18: no gateway has the dataset, bad checksum; a failed download becomes an error result."""
    replicate = replicate_with(tmp_path, FakeDownloader(files), policy={"ipfs_gateways": GATEWAYS}, **task)
    with pytest.raises(TaskFault, match=message) as fault:
        await download_data(replicate)
    assert fault.value.cause is cause
    assert "; " not in fault.value.message or "checksum" in fault.value.message
    assert list(replicate.folder.input.iterdir()) == []


@pytest.mark.parametrize("task", [DATASET, {"input_files": (URL,)}], ids=["dataset", "input file"])
async def test_an_outage_of_the_host_is_not_contributed(tmp_path: Path, task: dict[str, Any]) -> None:
    replicate = replicate_with(tmp_path, FakeDownloader({URL: b"data"}, online=False), **task)
    with pytest.raises(StepFailed, match="DNS") as failed:
        await download_data(replicate)
    assert failed.value.cause is Cause.HOST_FAILED


@pytest.mark.parametrize("task", [DATASET, {"input_files": (URL,)}], ids=["dataset", "input file"])
async def test_a_full_disk_is_not_contributed_as_a_failure_of_the_file(
    tmp_path: Path, task: dict[str, Any]
) -> None:
    replicate = replicate_with(tmp_path, FakeDownloader({URL: b"data"}, disk_full=True), **task)
    with pytest.raises(HostStorageUnavailable):
        await download_data(replicate)


class Hanging(FakeDownloader):
    """Servers that never answer. Counts the downloads at the same time."""

    running = most = 0

    async def fetch(
        self, url: str, target: Path, quota: TaskQuota, *, is_gateway: bool = False, is_ipfs: bool = False
    ) -> str:
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(60)
        finally:
            self.running -= 1
        raise AssertionError("not reached")


@pytest.mark.parametrize(
    ("task", "cause"),
    [
        (DATASET, Cause.DATASET_FILE_DOWNLOAD_FAILED),
        ({"input_files": tuple(f"{URL}{n}" for n in range(256))}, Cause.INPUT_FILES_DOWNLOAD_FAILED),
    ],
    ids=["dataset", "256 files"],
)
async def test_data_drip_the_total_time_is_limited(
    tmp_path: Path, task: dict[str, Any], cause: Cause
) -> None:
    downloader = Hanging()
    replicate = replicate_with(
        tmp_path, downloader, policy={"downloads": DownloadLimits(total_s=0.1)}, **task
    )
    with pytest.raises(TaskFault, match="did not arrive within") as fault:
        await download_data(replicate)
    assert fault.value.cause is cause
    assert downloader.running == 0
    assert downloader.most <= 4
