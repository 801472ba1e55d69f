"""Which replicates finish, and which go to other workers, when a worker leaves for good."""

import pytest
from workerpool_poco.protocol.statuses import ReplicateStatus as S
from workerpool_worker.domain.departure import may_be_handed_over, may_finish
from workerpool_worker.domain.record import ReplicateRecord
from workerpool_worker.domain.stages import Stage

from services.worker.tests.harness.builders import TASK_ID


@pytest.mark.parametrize(
    ("stage", "status", "finishes", "handed_over"),
    [
        (Stage.START, S.CREATED, False, True),
        (Stage.DOWNLOAD_DATA, S.APP_DOWNLOADED, False, True),
        (Stage.COMPUTE, S.COMPUTING, False, True),
        (Stage.AWAIT_DECISION, S.COMPUTED, False, True),
        (Stage.CONTRIBUTE, S.CONTRIBUTING, True, False),
        (Stage.AWAIT_REVEAL, S.CONTRIBUTED, False, False),
        (Stage.REVEAL, S.REVEALING, True, False),
        (Stage.AWAIT_UPLOAD, S.REVEALED, False, False),
        (Stage.UPLOAD, S.RESULT_UPLOADING, True, False),
        (Stage.FAILED, S.COMPUTE_FAILED, False, True),
        (Stage.FAILED, S.CONTRIBUTE_FAILED, False, False),
        (Stage.FAILED, S.REVEAL_FAILED, False, False),
    ],
)
def test_a_contribution_is_never_handed_over(
    stage: Stage, status: S, finishes: bool, handed_over: bool
) -> None:
    record = ReplicateRecord(TASK_ID, stage=stage, status=status)
    assert (may_finish(record), may_be_handed_over(record)) == (finishes, handed_over)
