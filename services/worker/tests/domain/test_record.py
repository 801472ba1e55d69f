"""The stored form of a replicate."""

from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause
from workerpool_worker.domain.record import Command, ReplicateRecord, Result
from workerpool_worker.domain.stages import Action, Stage

from services.worker.tests.harness.builders import TASK_ID


def test_a_record_is_restored_with_every_field() -> None:
    record = ReplicateRecord(
        TASK_ID,
        Stage.REVEAL,
        ReplicateStatus.REVEALING,
        Result("0x11", "0x22", ReplicateStatusCause.POST_COMPUTE_COMPUTED_FILE_NOT_FOUND, "none"),
        12,
        9,
        (Command(9, TASK_ID, Action.ABORT, 5, ReplicateStatusCause.UNKNOWN),),
    )
    assert ReplicateRecord.from_json(record.to_json()) == record
    assert ReplicateRecord.from_json(ReplicateRecord(TASK_ID).to_json()) == ReplicateRecord(TASK_ID)


def test_a_result_is_available_once_it_has_a_digest() -> None:
    record = ReplicateRecord(TASK_ID)
    assert not record.result_available
    assert not record.evolve(result=Result(cause=ReplicateStatusCause.UNKNOWN)).result_available
    assert record.evolve(result=Result(digest="0x11")).result_available
