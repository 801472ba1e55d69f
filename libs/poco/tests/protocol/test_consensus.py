import pytest
from hypothesis import given
from hypothesis import strategies as st
from workerpool_poco.protocol.consensus import (
    consensus_reached,
    contributions_needed,
    group_weight,
    needs_more_contributions,
    weight_from_score,
)

A, B = b"a" * 32, b"b" * 32


@pytest.mark.parametrize(
    ("score", "weight"), [(0, 2), (8, 2), (11, 2), (12, 3), (14, 3), (15, 4), (30, 9), (300, 99)]
)
def test_weight_grows_with_the_score(score: int, weight: int) -> None:
    assert weight_from_score(score) == weight


def test_a_group_weighs_the_product_of_its_members() -> None:
    assert group_weight([]) == 0
    assert group_weight([2, 3, 4]) == 24


@pytest.mark.parametrize(
    ("trust", "count"),
    {
        0: 1,
        1: 1,
        2: 1,
        3: 2,
        4: 2,
        5: 3,
        8: 3,
        9: 4,
        16: 4,
        17: 5,
        32: 5,
        33: 6,
        64: 6,
        65: 7,
        1000: 10,
    }.items(),
)
def test_contributions_needed_of_fresh_workers(trust: int, count: int) -> None:
    assert contributions_needed(trust) == count
    assert not needs_more_contributions(trust, [(A, 2)] * count, [])
    assert needs_more_contributions(trust, [(A, 2)] * (count - 1), [])
    assert not needs_more_contributions(trust, [(A, 2)], [2] * (count - 1))


@pytest.mark.parametrize(("trust", "more"), [(1, 1), (2, 2), (3, 3), (5, 4), (10, 5)])
def test_with_one_dissenting_fresh_worker(trust: int, more: int) -> None:
    """The table of the specification: agreeing workers needed besides one that differs."""
    agreeing = 0
    while needs_more_contributions(trust, [(B, 2), *[(A, 2)] * agreeing], []) or agreeing == 0:
        agreeing += 1
    assert agreeing == more


@pytest.mark.parametrize(
    ("best", "worst", "more"), [(4, 0, True), (5, 0, False), (5, 1, True), (25, 5, False)]
)
def test_trust_5_cases(best: int, worst: int, more: bool) -> None:
    votes = [(A, best)] + ([(B, worst)] if worst else [])
    assert needs_more_contributions(5, votes, []) is more


def test_pending_workers_are_expected_to_join_the_strongest_group() -> None:
    assert needs_more_contributions(5, [(A, 2), (B, 2), (B, 2)], [])
    assert not needs_more_contributions(5, [(A, 2), (B, 2), (B, 2)], [2, 2])


def test_a_failed_replicate_is_not_pending() -> None:
    assert not needs_more_contributions(1, [], [2])
    assert needs_more_contributions(1, [], [])


@given(
    trust=st.integers(0, 2000),
    votes=st.lists(st.tuples(st.sampled_from([A, B]), st.integers(2, 20)), max_size=8),
)
def test_without_pending_the_forecast_is_the_rule_of_the_contract(
    trust: int, votes: list[tuple[bytes, int]]
) -> None:
    groups = [group_weight(weight for hash_, weight in votes if hash_ == item) for item in (A, B)]
    expected = consensus_reached(max(groups), groups, trust)
    assert needs_more_contributions(trust, votes, []) is not expected


@given(trust=st.integers(0, 200), pending=st.lists(st.integers(2, 20), max_size=6))
def test_one_more_pending_worker_never_raises_the_need(trust: int, pending: list[int]) -> None:
    if not needs_more_contributions(trust, [(A, 2)], pending):
        assert not needs_more_contributions(trust, [(A, 2)], [*pending, 2])
