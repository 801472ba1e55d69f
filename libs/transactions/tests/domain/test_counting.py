"""What counts from nodes that may lag say."""

from workerpool_transactions.domain.answers import Counts
from workerpool_transactions.domain.counting import (
    BLOCKED_AFTER_S,
    CONFIRM_S,
    STUCK_AFTER_S,
    STUCK_BLOCKS,
    Block,
    Counting,
)


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


def blocks_until(
    counting: Counting, end: float, mined: int, *, start: float = 0.0, pace: float = 5.0
) -> list[bool]:
    """Look each second while nonce `mined` is pending below 6; return whether each block was stuck."""
    found = []
    for second in range(int(start), int(end) + 1):
        answer = Counts(mined, 6, int(second / pace))
        counting.counted(answer, float(second))
        if (block := counting.block(answer, 6, float(second))) is not None:
            assert (block.nonce, block.unused) == (mined, None)
            found.append(block.is_stuck)
    return found


def test_a_pending_transaction_that_no_block_takes_is_stuck_after_a_while() -> None:
    counting = Counting()
    assert not any(blocks_until(counting, STUCK_AFTER_S - 1, 4))
    assert any(blocks_until(counting, STUCK_AFTER_S + 2 * BLOCKED_AFTER_S, 4, start=STUCK_AFTER_S))


def test_nothing_is_stuck_while_the_nonces_move() -> None:
    counting = Counting()
    assert not any(blocks_until(counting, STUCK_AFTER_S - 1, 4))
    assert not any(blocks_until(counting, 2 * STUCK_AFTER_S - 1, 5, start=STUCK_AFTER_S))
    assert any(blocks_until(counting, 2 * STUCK_AFTER_S + 10, 5, start=2 * STUCK_AFTER_S))


def test_nothing_is_stuck_without_blocks() -> None:
    counting = Counting()
    pace = STUCK_AFTER_S * 10
    assert not any(blocks_until(counting, pace * STUCK_BLOCKS - 1, 4, pace=pace))
    assert any(blocks_until(counting, pace * STUCK_BLOCKS + 10, 4, start=pace * STUCK_BLOCKS, pace=pace))


def test_nothing_in_flight_is_not_blocked() -> None:
    counting = Counting()
    for now in (0.0, 3.0, 6.0, 9.0):
        assert counting.block(counts(4), None, now) is None
