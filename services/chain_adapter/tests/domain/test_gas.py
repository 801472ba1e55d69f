"""What a gas estimate proves, and the gas limit that follows."""

from collections.abc import Sequence

import pytest
from workerpool_chain_adapter.domain.assessment import Sendable
from workerpool_chain_adapter.domain.command import Command, CommandKey, CommandKind
from workerpool_chain_adapter.domain.gas import gas_limit, refutes
from workerpool_chain_adapter.domain.planning import Group, Plan
from workerpool_poco.protocol.ids import TaskId
from workerpool_transactions.domain.answers import GasEstimate

REVERT = GasEstimate(None, 10, "execution reverted")
MOST = 30_000_000


def one(kind: CommandKind, group: Group) -> Plan:
    return Plan(group, (Command(CommandKey(TaskId("0x" + "11" * 32), kind), 0, 0),))


CLAIM, FINALIZATION = one(CommandKind.CLAIM, Group.CLAIM), one(CommandKind.FINALIZE, Group.FINALIZE)


@pytest.mark.parametrize(
    ("estimate", "seen", "refuted"),
    [
        pytest.param(REVERT, [Sendable(10)], True, id="at the same block"),
        pytest.param(REVERT, [Sendable(9)], True, id="at a newer block"),
        pytest.param(REVERT, [Sendable(11)], False, id="at an older block"),
        pytest.param(REVERT, [Sendable(9), Sendable(11)], False, id="older for one of the batch"),
        pytest.param(REVERT, [Sendable(9, is_proven=False)], False, id="possible in the next block"),
        pytest.param(GasEstimate(1, 10), [Sendable(9)], False, id="no revert"),
    ],
)
def test_a_stale_revert_proves_nothing(
    estimate: GasEstimate, seen: Sequence[Sendable], refuted: bool
) -> None:
    assert refutes(estimate, seen) is refuted


@pytest.mark.parametrize(
    ("plan", "estimate", "expected"),
    [
        pytest.param(CLAIM, GasEstimate(100_000, 1), 120_000, id="margin"),
        pytest.param(FINALIZATION, GasEstimate(100_000, 1), 320_000, id="gas of the callback"),
        pytest.param(CLAIM, GasEstimate(29_000_000, 1), MOST, id="at most the block's"),
        pytest.param(CLAIM, REVERT, 420_000, id="fixed bound with two contributors"),
    ],
)
def test_a_gas_limit(plan: Plan, estimate: GasEstimate, expected: int) -> None:
    seen = [Sendable(contributors=2)]
    assert gas_limit(plan, estimate, seen, callback_gas=200_000, most=MOST) == expected


def test_the_fixed_bound_of_a_finalization_includes_the_callback() -> None:
    limit = gas_limit(FINALIZATION, REVERT, [Sendable()], callback_gas=200_000, most=MOST)
    assert limit == FINALIZATION.gas_bound(0) + 200_000
