"""A consensus that a chain reorganization orphaned."""

from pathlib import Path

import pytest
from workerpool_poco.protocol.statuses import ChainTaskStatus
from workerpool_worker.app.steps.reorg import wait_if_consensus_orphaned
from workerpool_worker.domain.stages import Stage

from services.worker.tests.doubles.chain import FakeChain
from services.worker.tests.harness.builders import chain_task
from services.worker.tests.harness.context import make_context, make_replicate


@pytest.mark.parametrize(
    ("status", "orphaned", "stage"),
    [
        (ChainTaskStatus.ACTIVE, True, Stage.AWAIT_UPLOAD),
        (ChainTaskStatus.REVEALING, False, Stage.UPLOAD),
        (ChainTaskStatus.COMPLETED, False, Stage.UPLOAD),
    ],
)
async def test_only_a_task_open_for_contributions_waits(
    tmp_path: Path, status: ChainTaskStatus, orphaned: bool, stage: Stage
) -> None:
    context = make_context(tmp_path, chain=FakeChain(chain_task=chain_task(status=status)))
    replicate = make_replicate(context, stage=Stage.UPLOAD)
    assert await wait_if_consensus_orphaned(replicate, Stage.AWAIT_UPLOAD) is orphaned
    assert replicate.record.stage is stage
