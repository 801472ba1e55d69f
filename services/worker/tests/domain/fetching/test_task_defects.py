"""Defects that are found before anything is downloaded."""

from typing import Any

import pytest
from workerpool_poco.protocol.statuses import ReplicateStatusCause as Cause
from workerpool_worker.domain.fetching.addresses import AllowedHosts
from workerpool_worker.domain.fetching.limits import DownloadLimits, TaskQuota, total_limit_s
from workerpool_worker.domain.fetching.task_defects import first_defect

from services.worker.tests.harness.builders import WORKER, task

LIMITS = DownloadLimits()
CHECKSUM = "0x" + "11" * 32
IPFS_PATH = "/ipfs/QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"input_files": ("https://files.test/x", "http://8.8.8.8/y")},
        {"input_files": ("https://files.test/x",) * LIMITS.max_files},
        {"input_files": (IPFS_PATH, IPFS_PATH.replace("/ipfs/", "ipfs://"))},
        {"dataset_address": WORKER, "dataset_uri": IPFS_PATH, "dataset_checksum": CHECKSUM},
        {
            "dataset_address": WORKER,
            "dataset_uri": f"https://gateway.test{IPFS_PATH}",
            "dataset_checksum": CHECKSUM,
        },
        {"dataset_address": WORKER, "dataset_uri": "https://files.test/x", "dataset_checksum": CHECKSUM},
        {"dataset_uri": "", "dataset_checksum": ""},
    ],
)
def test_a_sound_task_has_no_defect(fields: dict[str, Any]) -> None:
    assert first_defect(task(**fields), LIMITS) is None


@pytest.mark.parametrize(
    ("fields", "cause", "message"),
    [
        pytest.param(
            {"app_uri": "--privileged"}, Cause.APP_IMAGE_NAME_INVALID, "not an image", id="image name"
        ),
        pytest.param(
            {"dataset_address": WORKER, "dataset_uri": "https://x/y", "dataset_checksum": "0x" + "00" * 32},
            Cause.DATASET_FILE_BAD_CHECKSUM,
            "no checksum on chain",
            id="data-no-checksum",
        ),
        pytest.param(
            {"dataset_address": WORKER, "dataset_uri": "https://x/y"},
            Cause.DATASET_FILE_BAD_CHECKSUM,
            "no checksum on chain",
            id="data-no-checksum, empty",
        ),
        pytest.param(
            {"dataset_address": WORKER, "dataset_checksum": CHECKSUM},
            Cause.DATASET_FILE_DOWNLOAD_FAILED,
            "no URI on chain",
            id="no URI",
        ),
        pytest.param(
            {"dataset_address": WORKER, "dataset_uri": "ftp://x", "dataset_checksum": CHECKSUM},
            Cause.DATASET_FILE_DOWNLOAD_FAILED,
            "only http and https",
            id="dataset URI malformed",
        ),
        pytest.param(
            {"dataset_address": WORKER, "dataset_uri": "/ipfs/Qm1", "dataset_checksum": CHECKSUM},
            Cause.DATASET_FILE_DOWNLOAD_FAILED,
            "names no content id",
            id="dataset's content id malformed",
        ),
        pytest.param(
            {
                "dataset_address": WORKER,
                "dataset_uri": f"http://127.0.0.1:8080{IPFS_PATH}",
                "dataset_checksum": CHECKSUM,
            },
            Cause.DATASET_FILE_DOWNLOAD_FAILED,
            "127.0.0.1 is a loopback address",
            id="data-private, gateway of the dataset",
        ),
        pytest.param(
            {"input_files": ("ipfs://Qm1",)},
            Cause.INPUT_FILES_DOWNLOAD_FAILED,
            "input file 1: ipfs://Qm1 is not an IPFS path",
            id="input file's content id malformed",
        ),
        pytest.param(
            {"dataset_address": WORKER, "dataset_uri": "http://10.0.0.1/x", "dataset_checksum": CHECKSUM},
            Cause.DATASET_FILE_DOWNLOAD_FAILED,
            "private address",
            id="data-private, dataset",
        ),
        pytest.param(
            {"input_files": ("http://files.test/x", "http://127.1/x")},
            Cause.INPUT_FILES_DOWNLOAD_FAILED,
            "input file 2: 127.0.0.1 is a loopback address",
            id="data-private, input file",
        ),
        pytest.param(
            {"input_files": ("http://localhost/x",)},
            Cause.INPUT_FILES_DOWNLOAD_FAILED,
            "loopback",
            id="data-private, localhost",
        ),
        pytest.param(
            {"input_files": ("",)},
            Cause.INPUT_FILES_DOWNLOAD_FAILED,
            "input file 1: the URL is empty",
            id="empty URL",
        ),
        pytest.param(
            {"input_files": ("https://files.test/x",) * 300},
            Cause.INPUT_FILES_DOWNLOAD_FAILED,
            "names 300 input files; this worker downloads at most 256",
            id="data-drip, 300 files",
        ),
    ],
)
def test_a_defect_is_named(fields: dict[str, Any], cause: Cause, message: str) -> None:
    """Scenario 17: empty checksum and empty URI are refused, never skipped."""
    defect = first_defect(task(**fields), LIMITS)
    assert defect is not None
    assert defect.cause is cause
    assert message in defect.message


def test_the_operators_exceptions_hold() -> None:
    limits = DownloadLimits(allowed=AllowedHosts.parse(["10.0.0.0/8", "localhost"]))
    assert first_defect(task(input_files=("http://10.1.1.1/x", "http://localhost/x")), limits) is None


@pytest.mark.parametrize(
    ("execution_s", "limit_s"), [(60, 300), (300, 420), (1_200, 780), (36_000, 1_680), (10**6, 1_800)]
)
def test_the_time_limit_grows_with_the_category(execution_s: float, limit_s: float) -> None:
    assert total_limit_s(LIMITS, execution_s) == limit_s


def test_a_quota_takes_and_gives_back() -> None:
    quota = TaskQuota(10)
    quota.take(6)
    assert quota.fits(4)
    assert not quota.fits(5)
    quota.give_back(6)
    assert quota.fits(10)
