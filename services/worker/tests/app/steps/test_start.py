"""START: features of a task that this worker supports."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.authorization import sign_authorization
from workerpool_poco.protocol.statuses import ReplicateStatusCause
from workerpool_worker.app.replicate import Replicate
from workerpool_worker.app.steps.start import start
from workerpool_worker.domain.stages import Stage
from workerpool_worker.errors import StepFailed

from services.worker.tests.doubles.chain import FakeChain
from services.worker.tests.harness.builders import DEAL_ID, TASK_ID, WORKER, assignment
from services.worker.tests.harness.context import make_context, make_replicate

OWNER = Wallet.create()


def replicate_of(tmp_path: Path, **fields: Any) -> Replicate:
    signed = sign_authorization(OWNER, worker=WORKER, task_id=TASK_ID, deal_id=DEAL_ID, task_index=0)
    context = make_context(tmp_path, chain=FakeChain(pool_owner=OWNER.address))
    return make_replicate(context, assigned=replace(assignment(**fields), authorization=signed))


async def test_a_standard_task_is_started(tmp_path: Path) -> None:
    replicate = replicate_of(tmp_path)
    await start(replicate)
    assert replicate.record.stage is Stage.DOWNLOAD_APP


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"tag": "0x" + "3".rjust(64, "0")}, ReplicateStatusCause.TEE_NOT_SUPPORTED),
        ({"tag": "0x" + "1".rjust(64, "0")}, ReplicateStatusCause.TEE_NOT_SUPPORTED),
        ({"result_encryption": True}, ReplicateStatusCause.TASK_DESCRIPTION_INVALID),
    ],
)
async def test_an_unsupported_task_is_refused(
    tmp_path: Path, fields: dict[str, Any], cause: ReplicateStatusCause
) -> None:
    with pytest.raises(StepFailed) as failed:
        await start(replicate_of(tmp_path, **fields))
    assert failed.value.cause is cause
