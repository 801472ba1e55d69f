"""The gauges of a running worker."""

from pathlib import Path

from workerpool_kit.chain.metrics import LATEST_BLOCK
from workerpool_poco.protocol.statuses import ReplicateStatus
from workerpool_worker.app.supervisor import Supervisor
from workerpool_worker.domain.updates import Update
from workerpool_worker.metrics import (
    FREE_SLOTS,
    GPUS,
    GPUS_IN_USE,
    REPLICATES,
    UNANSWERED_UPDATES,
    follow_worker,
)

from services.worker.tests.harness.builders import TASK_ID
from services.worker.tests.harness.context import make_context, unexpected


def test_gauges_read_the_workers_state(tmp_path: Path) -> None:
    context = make_context(tmp_path)
    follow_worker(Supervisor(context, {}, parse=unexpected, on_crash=unexpected), context, 4)
    context.outbox.add(Update(1, TASK_ID, ReplicateStatus.STARTING))
    gauges = (REPLICATES, FREE_SLOTS, UNANSWERED_UPDATES, LATEST_BLOCK, GPUS, GPUS_IN_USE)
    assert [next(iter(gauge.collect())).samples[0].value for gauge in gauges] == [0, 2, 1, 7, 4, 0]
