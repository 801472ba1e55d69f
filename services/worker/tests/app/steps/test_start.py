"""START: features of a task that this worker supports."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.authorization import sign_authorization
from workerpool_poco.protocol.ids import to_hex
from workerpool_poco.protocol.statuses import ReplicateStatusCause
from workerpool_poco.protocol.tags import make_tag
from workerpool_worker.app.replicate import Replicate
from workerpool_worker.app.steps.start import start
from workerpool_worker.domain.stages import Stage
from workerpool_worker.errors import StepFailed

from services.worker.tests.doubles.chain import FakeChain
from services.worker.tests.harness.builders import DEAL_ID, TASK_ID, WORKER, assignment
from services.worker.tests.harness.context import POLICY, make_context, make_replicate

OWNER = Wallet.create()
GPU_TAG = to_hex(make_tag(gpu=True))


def replicate_of(tmp_path: Path, gpus: int = 0, **fields: Any) -> Replicate:
    signed = sign_authorization(OWNER, worker=WORKER, task_id=TASK_ID, deal_id=DEAL_ID, task_index=0)
    context = make_context(
        tmp_path, chain=FakeChain(pool_owner=OWNER.address), policy=replace(POLICY, gpus_per_task=gpus)
    )
    return make_replicate(context, assigned=replace(assignment(**fields), authorization=signed))


async def test_a_standard_task_is_started(tmp_path: Path) -> None:
    replicate = replicate_of(tmp_path)
    await start(replicate)
    assert replicate.record.stage is Stage.DOWNLOAD_APP
    assert await replicate.prepared.take() is not None, "the container is created meanwhile"


async def test_a_host_with_a_gpu_starts_a_task_that_requires_one(tmp_path: Path) -> None:
    replicate = replicate_of(tmp_path, gpus=1, tag=GPU_TAG)
    await start(replicate)
    assert replicate.record.stage is Stage.DOWNLOAD_APP


async def test_deal_proxy_url_is_reported_at_the_start(tmp_path: Path) -> None:
    with capture_logs() as lines:
        await start(replicate_of(tmp_path, result_storage_proxy="https://result.example"))
    (line,) = [line for line in lines if line["event"] == "params.ignored"]
    assert "'https://result.example' is not the pool's" in line["reason"]


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"tag": "0x" + "3".rjust(64, "0")}, ReplicateStatusCause.TEE_NOT_SUPPORTED),
        ({"tag": "0x" + "1".rjust(64, "0")}, ReplicateStatusCause.TEE_NOT_SUPPORTED),
        ({"tag": GPU_TAG}, ReplicateStatusCause.HOST_FAILED),
    ],
)
async def test_an_unsupported_task_is_refused(
    tmp_path: Path, fields: dict[str, Any], cause: ReplicateStatusCause
) -> None:
    with pytest.raises(StepFailed) as failed:
        await start(replicate := replicate_of(tmp_path, **fields))
    assert failed.value.cause is cause
    assert not replicate.prepared.has_begun
