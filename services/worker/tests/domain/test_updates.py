"""The stored form of a status update."""

from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause
from workerpool_worker.domain.updates import Details, Receipt, Update, tail

from services.worker.tests.harness.builders import TASK_ID


def test_an_update_is_restored_with_every_field() -> None:
    details = Details(
        ReplicateStatusCause.UNKNOWN, Receipt(5, "0xaa"), "link", "0x11", -1, "out\0é", "err", "text"
    )
    for each in (details, Details()):
        update = Update(7, TASK_ID, ReplicateStatus.COMPUTED, each)
        assert Update.from_json(update.to_json()) == update


def test_tail_keeps_the_end() -> None:
    assert [tail("abc", 2), tail("abc", 3), tail("abc", 9)] == ["bc", "abc", "abc"]
