"""How many transactions a wallet can pay for: core's supply, the worker's start and the adapter use the same rule."""

GAS_PER_TRANSACTION = 500_000
"""Gas of one protocol transaction: a contribution and a reveal together need about 490,000."""
MIN_TRANSACTIONS = 10
"""A wallet that can pay for fewer of its own transactions gets no new work."""


def transactions_left(balance: int, price: int) -> int | None:
    """Return how many transactions a balance (wei) pays for at a price (wei per gas); None when gas is free."""
    return None if price == 0 else balance // (GAS_PER_TRANSACTION * price)


def min_balance(price: int) -> int:
    """Return the least balance of a working wallet, in wei, at a price in wei per gas."""
    return MIN_TRANSACTIONS * GAS_PER_TRANSACTION * price


def is_dry(balance: int, price: int) -> bool:
    """Return whether a wallet cannot pay for ten of its own transactions at today's price."""
    return balance < min_balance(price)
