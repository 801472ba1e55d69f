"""What counts from nodes that may lag say."""

from workerpool_transactions.domain.answers import Counts
from workerpool_transactions.domain.counting import BLOCKED_AFTER_S, CONFIRM_S, Block, Counting


def counts(mined: int, pending: int | None = None) -> Counts:
    return Counts(mined, mined if pending is None else pending, 1)


def test_a_higher_count_is_believed_at_once() -> None:
    counting = Counting()
    counting.counted(counts(5), 0.0)
    assert counting.mined == 5


def test_one_lower_count_is_a_node_that_lags() -> None:
    counting = Counting()
    counting.counted(counts(5), 0.0)
    counting.counted(counts(3), 1.0)
    assert counting.mined == 5
    counting.counted(counts(5), 2.0)
    counting.counted(counts(3), 2.0 + CONFIRM_S)
    assert counting.mined == 5, "an answer between contradicts it"


def test_a_repeated_lower_count_is_a_reorganisation() -> None:
    counting = Counting()
    counting.counted(counts(5), 0.0)
    for now, mined in ((1.0, 2), (2.0, 3), (1.0 + CONFIRM_S, 2)):
        assert counting.mined == 5
        counting.counted(counts(mined), now)
    assert counting.mined == 3, "the highest of the lower ones: the others lag further"


def test_a_gap_is_certain_after_some_seconds() -> None:
    counting = Counting()
    for now in (0.0, 2.0, BLOCKED_AFTER_S - 0.1):
        counting.counted(counts(4), now)
        assert counting.block(counts(4), 6, now) is None
    assert counting.block(counts(4), 6, BLOCKED_AFTER_S) == Block(4, 4)
    assert counting.block(counts(4), 6, BLOCKED_AFTER_S + 0.1) is None, "what is done about it needs time"


def test_a_gap_that_moves_is_watched_again() -> None:
    counting = Counting()
    for now, mined in ((0.0, 4), (3.0, 4), (6.0, 5)):
        counting.counted(counts(mined), now)
        assert counting.block(counts(mined), 6, now) is None


def test_a_pending_transaction_below_those_in_flight_blocks_them_without_a_gap() -> None:
    counting = Counting()
    for now in (0.0, 3.0):
        counting.counted(counts(4), now)
        assert counting.block(counts(4, pending=6), 6, now) is None
    assert counting.block(counts(4, pending=6), 6, 6.0) == Block(4, None)


def test_nothing_in_flight_is_not_blocked() -> None:
    counting = Counting()
    for now in (0.0, 3.0, 6.0, 9.0):
        assert counting.block(counts(4), None, now) is None
