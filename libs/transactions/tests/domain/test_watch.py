"""Doubts about mined entries: what raises one, what it costs, what ends it."""

from itertools import pairwise

from workerpool_poco.protocol.ids import to_hex
from workerpool_poco.protocol.model import Block
from workerpool_transactions.domain.counting import CONFIRM_S
from workerpool_transactions.domain.doubts import TROUBLE_S
from workerpool_transactions.domain.entry import Call, Entry, EntryState, Offer, Receipt, Version
from workerpool_transactions.domain.watch import VANISHED_AFTER_S, VERIFIED_AFTER_S, WATCHED_S, Watch


def head(number: int, fork: str = "a", parent: str = "") -> Block:
    return Block(number, f"{fork}{number}".encode(), f"{parent or fork}{number - 1}".encode(), number)


def receipt(nonce: int, block: int, fork: str = "a", *, succeeded: bool = True) -> Receipt:
    return Receipt(f"0x{nonce}", succeeded, block, 1, to_hex(f"{fork}{block}".encode()))


def mined(nonce: int, block: int) -> Entry:
    version = Version(f"0x{nonce}", b"", Offer(1))
    entry = Entry(nonce, Call("0x", b"", 1, ("work",)), (version,), 0.0)
    return entry.ended(EntryState.MINED, 0.0, receipt(nonce, block))


def watch() -> Watch:
    """Return a watch of two entries without a doubt."""
    made = Watch()
    made.follow(head(9), None, -100.0)
    made.follow(head(10), None, -99.0)
    made.put([mined(0, 9), mined(1, 10)], 0.0)
    return made


def test_children_raise_no_doubt() -> None:
    made = watch()
    made.follow(head(11), None, 1.0)
    made.follow(head(11), None, 1.0)
    assert made.next_look() is None


def test_a_head_of_another_branch_raises_a_doubt() -> None:
    for other in (head(11, "b"), head(10, "b"), head(5, "b")):
        made = watch()
        made.follow(other, None, 1.0)
        assert made.is_due(1.0)


def test_a_doubt_ends_after_several_answers_over_some_seconds() -> None:
    made, now, reads = watch(), 1.0, 0
    made.doubts.doubt()
    while (at := made.next_look()) is not None:
        now = max(at, now)
        made.looking(now)
        made.looked(now)
        reads += 1
    assert now - 1.0 >= CONFIRM_S
    assert reads <= 4


def test_a_reorganisation_during_a_read_is_read_again() -> None:
    made = watch()
    made.follow(head(11, "b"), None, 1.0)
    made.looking(1.0)
    made.follow(head(12, "c"), None, 1.0)
    made.looked(1.0)
    assert made.next_look() is not None


def test_skipped_heads_are_looked_at_more_rarely_as_entries_age() -> None:
    made, looks = watch(), []
    for second in range(1, 600):
        made.follow(head(10 + 2 * second), 1, float(second))
        if made.is_due(second):
            looks.append(second)
            made.looking(second)
            made.stand(made.sample(second), {"0x0": receipt(0, 9), "0x1": receipt(1, 10)}, second)
            made.looked(second)
    assert looks[0] <= 3
    pauses = [later - earlier for earlier, later in pairwise(looks)]
    assert pauses == sorted(pauses)
    assert pauses[-1] > 30


def test_the_newest_entry_vouches_for_the_others() -> None:
    made = watch()
    sample = made.sample(1.0)
    assert [each.nonce for each in sample] == [1]
    assert made.stand(sample, {"0x1": receipt(1, 10)}, 1.0)
    assert not made.stand(sample, {"0x1": receipt(1, 10, "b")}, 1.0)
    assert not made.stand(sample, {"0x1": receipt(1, 10, succeeded=False)}, 1.0)
    assert not made.stand(sample, {}, 1.0)


def test_an_entry_that_came_with_skipped_heads_vouches_for_no_other() -> None:
    """It may be of the new branch, while those before it were reorganised into other blocks."""
    made = watch()
    made.follow(head(11), None, 0.5)
    made.put([mined(2, 12)], 1.0)
    made.follow(head(13), None, 2.0)
    assert made.next_look() == 4.0, "a node that lags may still be on the old branch"
    for now in (3.0, 4.0):
        assert [each.nonce for each in made.sample(now)] == [1, 2]
        made.looking(now)
        made.looked(now)
    assert [each.nonce for each in made.sample(4.0)] == [2]


def test_entries_that_stood_after_skipped_heads_are_not_read_again_while_heads_are_skipped_on() -> None:
    """A chain that mines several blocks between two heads skips heads without end."""
    made, sizes = watch(), []
    for step in range(1, 2_000):
        now = step / 10
        made.put([mined(step + 1, 10 + 2 * step)], now)
        made.follow(head(10 + 2 * step), 1, now)
        if made.is_due(now):
            made.looking(now)
            sample = made.sample(now)
            sizes.append(len(sample))
            found = {each.receipt.hash: each.receipt for each in sample if each.receipt}
            assert made.stand(sample, found, now)
            made.looked(now)
    assert len(sizes) > 50
    assert max(sizes) < 65, (
        "those of the last look and of the two seconds before it, and of two seconds those that are verified"
    )


def test_an_entry_counts_as_doubted_until_a_look_comes_late_enough_after_each_skip() -> None:
    made = watch()
    made.follow(head(12), None, 1.0)
    made.put([mined(2, 12)], 1.5)
    made.follow(head(14), None, 2.5)
    made.put([mined(3, 14)], 2.6)
    made.looking(3.0)
    made.looked(3.0)
    assert [each.nonce for each in made.sample(3.0)] == [1, 2, 3], (
        "the first skip is covered, the second is not"
    )
    made.looking(4.6)
    made.looked(4.6)
    assert [each.nonce for each in made.sample(4.6)] == [3]


def test_skipped_heads_of_a_node_that_is_away_for_long_are_few() -> None:
    made = watch()
    for step in range(1, 1_000):
        made.follow(head(10 + 2 * step), None, float(step))
    assert len(made._unskipped) < 100
    made.put([mined(2, 2_010)], 1_000.0)
    made.looking(1_000.5)
    made.looked(1_000.5)
    assert [each.nonce for each in made.sample(1_000.5)] == [1, 2], "the last skip is not covered"
    made.looking(1_002.0)
    made.looked(1_002.0)
    assert [each.nonce for each in made.sample(1_002.0)] == [2]


def test_a_node_that_lags_does_not_end_the_doubt_of_another_answer() -> None:
    made = watch()
    made.follow(head(12), None, 1.0)
    made.looking(1.0)
    assert not made.stand(made.sample(1.0), {}, 1.0)
    assert made.compared({"0x0": receipt(0, 9), "0x1": receipt(1, 10)}, 1.0) == ([], [])
    made.looked(1.0)
    at = made.next_look()
    assert at is not None
    assert at <= 1.0 + CONFIRM_S


def test_skipped_heads_are_doubted_until_a_look_succeeds() -> None:
    made = watch()
    made.follow(head(12), None, 1.0)
    made.looking(3.0)
    assert made.next_look() == 5.0
    made.looking(5.0)
    made.follow(head(14), None, 5.0)
    made.looked(5.0)
    assert made.next_look() == 7.0, "heads were skipped while the chain was read"
    made.looking(7.0)
    made.looked(7.0)
    assert made.next_look() == 5.0 + VERIFIED_AFTER_S, "a node that lagged may have answered"


def test_a_node_that_lags_after_skipped_heads_hides_no_reorganisation() -> None:
    made = watch()
    made.follow(head(11), None, 0.5)
    made.follow(head(13, "b"), None, 1.0)
    made.looking(3.0)
    assert made.stand(made.sample(3.0), {"0x1": receipt(1, 10)}, 3.0), "the node is still on the old branch"
    made.looked(3.0)
    made.put([mined(2, 14)], 3.5)
    at = made.next_look()
    assert at == 1.0 + VERIFIED_AFTER_S
    made.looking(at)
    sample = made.sample(at)
    assert 1 in [each.nonce for each in sample], "an entry of the new branch vouches for no other"
    assert not made.stand(sample, {"0x1": receipt(1, 12, "b"), "0x2": receipt(2, 14)}, at)
    assert made.next_look() == at


def test_the_newest_entry_before_skipped_heads_is_verified_once_after_the_last_of_them() -> None:
    made = watch()
    made.follow(head(11), None, 0.5)
    for second in (1, 2, 3):
        made.follow(head(11 + 2 * second), None, float(second))
    made.looking(5.0)
    made.looked(5.0)
    at = made.next_look()
    assert at == 3.0 + VERIFIED_AFTER_S
    made.looking(at)
    assert 1 in [each.nonce for each in made.sample(at)]
    assert made.stand(made.sample(at), {"0x0": receipt(0, 9), "0x1": receipt(1, 10)}, at)
    made.looked(at)
    assert made.next_look() is None


def test_the_first_head_after_skipped_ones_may_verify_the_newest_entry_before_them() -> None:
    for fork in "ab":
        made = watch()
        made.put([mined(2, 12)], 0.1)
        made.follow(head(11), None, 0.5)
        made.follow(head(13, fork), None, 1.0)
        assert made.needs_all(1.0) == (fork == "b")
        made.looking(3.0)
        made.looked(3.0)
        assert (made.next_look() is None) == (fork == "a")


def test_a_receipt_whose_block_was_no_head_is_read_again_once() -> None:
    made = watch()
    made.put([mined(2, 7)], 0.0)
    made.follow(head(11), 10, 1.0)
    assert [each.nonce for each in made.entries()] == [2], "not even finality spares that"
    assert made.next_look() == VERIFIED_AFTER_S
    sample = made.sample(VERIFIED_AFTER_S)
    made.looking(VERIFIED_AFTER_S)
    assert made.stand(sample, {"0x2": receipt(2, 7)}, VERIFIED_AFTER_S)
    made.looked(VERIFIED_AFTER_S)
    assert made.next_look() is None
    assert len(made) == 0


def test_a_receipt_of_another_block_than_the_head_raises_a_doubt() -> None:
    for heads in ((10, 11), (9, 10), (10,)):
        made = Watch()
        for number in heads[:1]:
            made.follow(head(number, "b"), None, -100.0)
        made.put([mined(1, 10)], 0.0)
        for number in heads[1:]:
            made.follow(head(number, "b"), None, 0.0)
        assert made.is_due(0.0)


def test_after_a_reorganisation_no_entry_vouches_for_another_and_new_ones_are_doubted() -> None:
    made = watch()
    made.follow(head(11, "b"), None, 1.0)
    assert made.needs_all(1.0)
    looks = []
    while (at := made.next_look()) is not None:
        looks.append(at)
        made.looking(at)
        made.looked(at)
    assert len(looks) < 8
    assert looks[-1] - 1.0 >= TROUBLE_S
    made.follow(head(11, "c"), None, 40.0)
    made.looking(40.0)
    made.looked(40.0)
    made.put([mined(2, 20)], 40.5)
    assert made.is_due(40.5)
    assert not made.needs_all(40.0 + TROUBLE_S)


def test_an_entry_is_gone_once_all_answers_of_some_time_say_so() -> None:
    made = watch()
    there = {"0x0": receipt(0, 9)}
    assert made.compared(there, 0.0) == ([], [])
    assert made.is_vanishing
    assert made.compared(there, 1.0) == ([], [])
    assert made.compared(there, VANISHED_AFTER_S) == ([], [mined(1, 10)])


def test_one_receipt_contradicts_those_that_lag() -> None:
    made = watch()
    made.compared({}, 0.0)
    made.compared({"0x0": receipt(0, 9), "0x1": receipt(1, 10)}, 1.0)
    assert not made.is_vanishing
    assert made.compared({}, VANISHED_AFTER_S) == ([], [])


def test_a_moved_entry_carries_the_new_receipt() -> None:
    made = watch()
    moved, gone = made.compared({"0x0": receipt(0, 9), "0x1": receipt(1, 12, "b")}, 0.0)
    assert gone == []
    assert [each.receipt for each in moved] == [receipt(1, 12, "b")]
    made.moved(moved)
    assert made.entries()[1] == moved[0]


def test_depth_and_time_make_an_entry_final_and_the_tag_instead_where_there_is_one() -> None:
    by_depth, by_tag = watch(), watch()
    by_depth.follow(head(200), None, 59.0)
    assert len(by_depth) == 2, "64 blocks may be 16 seconds"
    by_depth.follow(head(201), None, 60.0)
    assert len(by_depth) == 0 or by_depth.is_due(60.0)
    by_tag.follow(head(11), 9, 1.0)
    assert [each.nonce for each in by_tag.entries()] == [1]


def test_a_reverted_entry_has_no_effect_to_lose() -> None:
    made = Watch()
    made.put([mined(0, 1).ended(EntryState.REVERTED, 0.0)], 0.0)
    assert len(made) == 0


def final(made: Watch, number: int, finalized: int | None, now: float) -> bool:
    """Return whether no entry is watched any more after a head."""
    made.follow(head(number), finalized, now)
    return len(made) == 0


def verified() -> Watch:
    """Return a watch of two entries whose blocks were heads."""
    made = Watch()
    made.follow(head(9), None, 0.0)
    made.put([mined(0, 9)], 0.0)
    made.follow(head(10), None, 0.0)
    made.put([mined(1, 10)], 0.0)
    return made


def test_the_tag_decides_what_is_final_however_old_an_entry_is() -> None:
    made = verified()
    assert not final(made, 11, 9, 1.0)
    assert [each.nonce for each in made.entries()] == [1]
    for number in range(12, 500):
        assert not final(made, number, 9, 10.0 * number)
    assert final(made, 500, 10, 5_000.0)


def test_without_the_tag_age_decides_also_after_a_node_that_had_it() -> None:
    made = verified()
    assert not final(made, 11, 8, 1.0)
    for number in range(12, 75):
        assert not final(made, number, None, WATCHED_S)
    assert final(made, 75, None, WATCHED_S)


def test_an_entry_below_an_earlier_tag_is_final_while_the_node_tells_none() -> None:
    made = Watch()
    made.follow(head(9), 20, 0.0)
    made.follow(head(10), None, 0.0)
    made.put([mined(1, 10)], 0.0)
    assert final(made, 11, None, 1.0)
