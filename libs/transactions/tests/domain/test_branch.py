"""The branch that heads follow."""

from workerpool_poco.protocol.ids import to_hex
from workerpool_poco.protocol.model import Block
from workerpool_transactions.domain.branch import Branch, Step
from workerpool_transactions.domain.entry import Receipt


def head(number: int, fork: str = "a", parent: str = "") -> Block:
    return Block(number, f"{fork}{number}".encode(), f"{parent or fork}{number - 1}".encode(), number)


def steps(*heads: Block) -> list[Step]:
    branch = Branch()
    return [branch.follow(each) for each in heads]


def test_children_follow_one_another() -> None:
    assert steps(head(1), head(2), head(3)) == [Step.FIRST, Step.CHILD, Step.CHILD]


def test_a_head_that_was_seen_is_a_node_that_lags() -> None:
    branch = Branch()
    for each in (head(1), head(2), head(3)):
        branch.follow(each)
    assert branch.follow(head(1)) is Step.SAME
    assert branch.newest == head(3)
    assert branch.follow(head(0)) is Step.SAME, "its hash was the first head's parent"


def test_a_gap_between_heads_proves_nothing() -> None:
    assert steps(head(1), head(5), head(6)) == [Step.FIRST, Step.SKIPPED, Step.CHILD]


def test_below_skipped_heads_nothing_is_known() -> None:
    branch = Branch()
    branch.follow(head(1))
    branch.follow(head(5))
    assert branch.holds(Receipt("0x", True, 1, 1, to_hex(b"a1"))) is None
    assert branch.holds(Receipt("0x", True, 5, 1, to_hex(b"a5"))) is True


def test_another_branch_contradicts() -> None:
    assert steps(head(5), head(6, "b"))[1] is Step.CONTRADICTS
    assert steps(head(5), head(5, "b"))[1] is Step.CONTRADICTS
    assert steps(head(5), head(2, "b"))[1] is Step.CONTRADICTS


def test_receipts_are_compared_with_the_heads() -> None:
    branch = Branch()
    branch.follow(head(5))
    branch.follow(head(6))

    def receipt(number: int, fork: str = "a") -> Receipt:
        return Receipt("0x", True, number, 1, to_hex(f"{fork}{number}".encode()))

    assert [branch.holds(receipt(n)) for n in (3, 4, 5, 6, 7)] == [None, True, True, True, None]
    assert branch.holds(receipt(5, "b")) is False
    assert branch.holds(None) is None
    branch.follow(head(7, "b"))
    assert branch.holds(receipt(5)) is None, "the other branch may hold it or not"
