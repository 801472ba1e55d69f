"""The simulated chain: what it executes, what a reorganisation removes, what nodes that lag see."""

from random import Random

from workerpool_transactions.simulation.chain.blocks import GAS_USED, Chain
from workerpool_transactions.simulation.chain.signed import CONTRACT, Signed

from libs.transactions.tests.simulation.calls import signed


def chain(balance: int = 10**9) -> Chain:
    return Chain(Random(1), balance, 10)


def test_a_transaction_has_its_effect_and_costs_gas() -> None:
    made = chain()
    block = made.mine([signed(0)], 1.0)
    assert block.effects == {b"work": 1}
    assert block.balance == 10**9 - GAS_USED * 11
    assert block.receipts[signed(0).hash].succeeded


def test_the_contract_reverts_a_repeated_call_and_the_chain_counts_it() -> None:
    made = chain()
    block = made.mine([signed(0), signed(1)], 1.0)
    assert block.repeated == 1
    assert not block.receipts[signed(1).hash].succeeded


def test_a_reorganisation_removes_transactions_and_keeps_deposits() -> None:
    made = chain()
    made.mine([signed(0)], 1.0)
    made.refill(5)
    old = made.head
    assert made.reorganise(2, 2.0) == [signed(0)]
    assert made.head.number > old.number
    assert (made.head.count, made.head.balance) == (0, 10**9 + 5)
    assert made.head_at(1.5).count == 1, "a node that lags is on the old branch"


def test_only_the_next_nonce_that_pays_the_base_fee_can_be_mined() -> None:
    made = chain(balance=signed(0).cost)
    poor = Signed("0x", 0, CONTRACT, b"work", 100_000, 0, 9, 1)
    assert made.can_mine(signed(0), [])
    assert not made.can_mine(signed(1), [])
    assert not made.can_mine(poor, [])
    assert not made.can_mine(signed(1), [signed(0)]), "the balance is spent"
