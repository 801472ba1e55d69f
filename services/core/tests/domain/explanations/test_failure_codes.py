"""The code of each failure."""

from collections.abc import Callable

import pytest
from workerpool_core.domain.blame import BLAME
from workerpool_core.domain.explanations.failure_codes import BY_SIDE, code_of
from workerpool_core.domain.explanations.reason_codes import ReasonCode
from workerpool_core.domain.model import Task
from workerpool_poco.protocol.causes import ReplicateStatusCause as C
from workerpool_poco.protocol.causes import Side

from services.core.tests.doubles.scripted_pool import SCONE

AddTask = Callable[..., Task]


@pytest.mark.parametrize(
    ("cause", "code"),
    [
        (C.APP_COMPUTE_FAILED, ReasonCode.APP_FAILED),
        (C.APP_IMAGE_DOWNLOAD_FAILED, ReasonCode.APP_FAILED),
        (C.DATASET_FILE_BAD_CHECKSUM, ReasonCode.ORDER_INVALID),
        (C.HOST_FAILED, ReasonCode.WORKERS_FAILED),
        (C.PUBLIC_REGISTRY_UNAVAILABLE, ReasonCode.POOL_FAILED),
        (C.CHAIN_UNREACHABLE, ReasonCode.CHAIN_FAILED),
        (C.UNKNOWN_SMS, ReasonCode.NO_SMS),
        (C.CONTRIBUTION_TIMEOUT, ReasonCode.CONTRIBUTION_DEADLINE_PASSED),
        (C.DEAL_PARAMS_INVALID, ReasonCode.ORDER_INVALID),
    ],
)
def test_a_failure_is_named_by_its_cause_or_its_side(add_task: AddTask, cause: C, code: ReasonCode) -> None:
    assert code_of(add_task(), BLAME[cause].side, cause) is code


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("0x" + "0" * 64, ReasonCode.ENCRYPTION_WITHOUT_ENCLAVE),
        (SCONE, ReasonCode.ORDER_INVALID),
    ],
)
def test_encryption_is_named_for_a_standard_task_only(add_task: AddTask, tag: str, code: ReasonCode) -> None:
    task = add_task(1, result_encryption=True, tag=tag)
    assert code_of(task, Side.REQUESTER, C.DEAL_PARAMS_INVALID) is code


def test_every_side_has_a_code() -> None:
    assert BY_SIDE.keys() == set(Side)
