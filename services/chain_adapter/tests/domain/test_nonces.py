"""The next nonce of the wallet."""

from hypothesis import given
from hypothesis import strategies as st
from workerpool_chain_adapter.domain.nonces import next_nonce


@given(st.integers(0, 50), st.integers(0, 10), st.sets(st.integers(0, 70)))
def test_it_is_the_lowest_that_neither_node_nor_journal_uses(
    mined: int, held: int, journaled: set[int]
) -> None:
    nonce = next_nonce(mined, mined + held, journaled)
    assert nonce >= mined + held
    assert nonce not in journaled
    assert all(lower in journaled for lower in range(mined + held, nonce))
