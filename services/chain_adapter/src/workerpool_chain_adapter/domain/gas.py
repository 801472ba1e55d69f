"""The gas limit of a transaction, from an estimate, or from a fixed bound when the estimate proves nothing."""

from collections.abc import Sequence

from workerpool_transactions.domain.answers import GasEstimate

from workerpool_chain_adapter.domain.assessment import Sendable
from workerpool_chain_adapter.domain.planning import Group, Plan

GAS_MARGIN_PERCENT = 20
"""Margin on the node's estimate, because the state may change before the transaction is mined."""


def refutes(estimate: GasEstimate, seen: Sequence[Sendable]) -> bool:
    """Return whether an estimate shows that the contract refuses the commands of a plan.

    A predicted revert proves nothing at a block older than one in which a command was possible, or when a command is
    possible only in the next block, because back-ends of one node may be several blocks apart.
    """
    return estimate.gas is None and all(
        each.is_proven and estimate.block_number >= each.block_number for each in seen
    )


def gas_limit(
    plan: Plan, estimate: GasEstimate, seen: Sequence[Sendable], *, callback_gas: int, most: int
) -> int:
    """Return the gas limit of a plan's transaction.

    Args:
        plan: the transaction.
        estimate: the node's answer; without an amount, fixed bounds are used.
        seen: the state in which each command was possible.
        callback_gas: gas that the hub grants a callback contract. An estimate of finalize may be too low for it, also
            when the callback data is empty, because the hub ignores a failure of the callback.
        most: most gas of one transaction; every node refuses a gas limit above that of the block.
    """
    if estimate.gas is None:
        gas = plan.gas_bound(sum(each.contributors for each in seen))
    else:
        gas = estimate.gas + estimate.gas * GAS_MARGIN_PERCENT // 100
    return min(gas + (callback_gas if plan.group is Group.FINALIZE else 0), most)
