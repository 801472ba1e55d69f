"""The least balance of a wallet."""

from workerpool_transactions.domain.balance import is_dry, min_balance, transactions_left


def test_half_a_milliether_works_at_a_tenth_of_a_gwei() -> None:
    price = 10**8
    assert min_balance(price) == 5 * 10**14
    assert not is_dry(5 * 10**14, price)
    assert is_dry(5 * 10**14 - 1, price)
    assert transactions_left(5 * 10**14, price) == 10


def test_free_gas_needs_no_balance() -> None:
    assert not is_dry(0, 0)
    assert transactions_left(0, 0) is None
