"""The amounts of the simulation, in wei."""

from workerpool_transactions.domain.fees import FeePolicy
from workerpool_transactions.domain.profile import Shape

BASE_FEE = 1_000
CAP = 10 * BASE_FEE
GAS = 100_000
WINDOW = 6
"""Transactions in flight at most: small, so that seeds reach the limit."""
BALANCE = 10_000 * GAS * CAP
LITTLE = 4 * GAS * BASE_FEE
"""What a dry wallet starts with."""
POLICY = {
    Shape.MEMPOOL: FeePolicy(cap=CAP),
    Shape.SEQUENCER: FeePolicy(cap=CAP),
    Shape.FREE: FeePolicy(multiplier=0, cap=0),
}
