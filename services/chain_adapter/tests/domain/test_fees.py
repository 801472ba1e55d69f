"""Gas prices of transactions and replacements."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workerpool_chain_adapter.domain.fees import GasPolicy

GWEI = 10**9
prices = st.integers(0, 10**12)


@given(paid=prices, network=prices, multiplier=st.floats(0.1, 5), cap=st.integers(1, 10**12))
def test_no_price_exceeds_the_cap_and_a_replacement_pays_15_percent_more(
    paid: int, network: int, multiplier: float, cap: int
) -> None:
    policy = GasPolicy(multiplier, cap)
    assert policy.price(network) <= cap
    bumped = policy.bumped(paid, network)
    if bumped is None:
        assert paid * 1.15 > cap - 2
    else:
        assert paid < bumped <= cap
        assert bumped * 100 >= paid * 115


@pytest.mark.parametrize("policy", [GasPolicy(multiplier=0), GasPolicy(cap=0), GasPolicy(0, 0)])
def test_a_multiplier_or_cap_of_zero_pays_nothing_and_replaces_nothing(policy: GasPolicy) -> None:
    assert policy.is_free
    assert policy.price(5 * GWEI) == 0
    assert policy.bumped(0, 5 * GWEI) is None


def test_a_policy_with_a_multiplier_and_a_cap_is_not_free() -> None:
    assert not GasPolicy(0.1, 1).is_free


def test_a_replacement_follows_a_network_price_that_rose_by_more() -> None:
    assert GasPolicy().bumped(1 * GWEI, 5 * GWEI) == 5 * GWEI
