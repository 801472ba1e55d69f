"""How waiting commands are grouped into transactions."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workerpool_chain_adapter.domain import stored_order
from workerpool_chain_adapter.domain.command import Command, CommandKey, CommandKind
from workerpool_chain_adapter.domain.planning import GAS_BOUNDS, MAX_BATCH, Group, largest_batch, plan
from workerpool_poco.protocol.contracts import abi
from workerpool_poco.protocol.ids import ZERO_ADDRESS, DealId, TaskId
from workerpool_poco.protocol.orders import WorkerpoolOrder

K = CommandKind
kinds = st.sampled_from(list(K))
MOST = 1_000_000_000
ORDER = stored_order.to_text(WorkerpoolOrder(workerpool=ZERO_ADDRESS))


def command(number: int, kind: CommandKind) -> Command:
    key = CommandKey(TaskId(f"0x{number:064x}"), kind)
    return Command(key, number, number, deal_id=DealId("0x" + "dd" * 32), order=ORDER)


@given(st.lists(kinds), st.integers(0, 20), st.integers(1, 4_000_000), st.sets(st.integers(0, 20)))
def test_each_command_is_planned_once_within_room_and_gas(
    wanted: list[CommandKind], room: int, most: int, new: set[int]
) -> None:
    waiting = [command(number, kind) for number, kind in enumerate(wanted)]
    plans = plan(waiting, room, most, {command(number, K.CLAIM).key for number in new})
    planned = [each for one in plans for each in one.commands]
    assert len(plans) <= room
    assert len(planned) == len(set(planned))
    for one in plans:
        assert len({each.key.kind for each in one.commands}) == 1
        assert len(one.commands) <= MAX_BATCH
        assert len(one.commands) == 1 or len(one.commands) * GAS_BOUNDS[one.group] <= most
    if len(plans) < room:
        assert set(planned) == set(waiting)


def test_finalizations_go_first_and_initializations_share_a_transaction() -> None:
    waiting = [command(number, K.INITIALIZE) for number in range(5)] + [command(9, K.FINALIZE)]
    plans = plan(waiting, 10, MOST)
    assert [(one.group, len(one.commands)) for one in plans] == [(Group.FINALIZE, 1), (Group.INITIALIZE, 5)]


def test_a_finalization_overtakes_queued_initializations_and_each_group_keeps_its_order() -> None:
    """Scenario 27: finalizations overtake queued initializations, and each kind keeps its order."""
    waiting = [command(number, K.INITIALIZE) for number in (3, 1, 2)]
    waiting += [command(number, K.FINALIZE) for number in (9, 7)]
    plans = plan(waiting, 10, MOST)
    assert [each.commands for each in plans] == [(waiting[3],), (waiting[4],), tuple(waiting[:3])]


def test_cancellations_wait_for_finalizations_only() -> None:
    waiting = [command(number, kind) for number, kind in enumerate((K.CLAIM, K.INITIALIZE, K.CANCEL_ORDER))]
    waiting += [command(3, K.FINALIZE), command(4, K.CANCEL_ORDER)]
    assert [each.group for each in plan(waiting, 10, MOST)] == [
        Group.FINALIZE,
        Group.CANCEL_ORDER,
        Group.CANCEL_ORDER,
        Group.INITIALIZE,
        Group.CLAIM,
    ]


def test_claims_of_uninitialized_tasks_have_a_transaction_of_their_own() -> None:
    waiting = [command(number, K.CLAIM) for number in range(4)]
    plans = plan(waiting, 10, MOST, {waiting[0].key, waiting[2].key})
    assert [(one.group, one.commands) for one in plans] == [
        (Group.CLAIM, (waiting[1], waiting[3])),
        (Group.INITIALIZE_AND_CLAIM, (waiting[0], waiting[2])),
    ]


def test_a_batch_is_split_into_one_plan_per_command() -> None:
    (batch,) = plan([command(number, K.CLAIM) for number in range(3)], 1, MOST)
    assert [each.commands for each in batch.split()] == [(one,) for one in batch.commands]


@pytest.mark.parametrize(
    ("kind", "count", "function"),
    [
        (K.INITIALIZE, 1, "initialize"),
        (K.INITIALIZE, 2, "initializeArray"),
        (K.CLAIM, 1, "claim"),
        (K.CLAIM, 2, "claimArray"),
        (K.FINALIZE, 1, "finalize"),
        (K.REOPEN, 1, "reopen"),
        (K.CANCEL_ORDER, 1, "manageWorkerpoolOrder"),
    ],
)
def test_each_kind_calls_its_contract_function(kind: CommandKind, count: int, function: str) -> None:
    (one,) = plan([command(number, kind) for number in range(count)], 1, MOST)
    assert one.data[:4] == abi.HUB[function].selector


@pytest.mark.parametrize("count", [1, 2])
def test_uninitialized_tasks_are_initialized_and_claimed_by_one_function(count: int) -> None:
    waiting = [command(number, K.CLAIM) for number in range(count)]
    (one,) = plan(waiting, 1, MOST, {each.key for each in waiting})
    assert one.data[:4] == abi.HUB["initializeAndClaimArray"].selector
    assert one.labels == tuple(str(each.key) for each in waiting)


@pytest.mark.parametrize(
    ("limit", "batch"),
    [(30_000_000, 90), (32_000_000, 96), (1_000_000_000, 100), (6_700_000, 20), (100_000, 1)],
)
def test_a_batch_fits_into_a_block(limit: int, batch: int) -> None:
    assert largest_batch(Group.INITIALIZE, limit) == batch
    assert largest_batch(Group.FINALIZE, limit) == 1


def test_a_bag_of_a_thousand_tasks_is_initialized_by_twelve_transactions() -> None:
    """With the gas of a block of anvil, and of one transaction on Arbitrum."""
    for most, transactions in ((30_000_000, 12), (32_000_000, 11)):
        assert len(plan([command(n, K.INITIALIZE) for n in range(1_000)], 64, most)) == transactions


def test_the_bound_of_gas_grows_with_commands_contributors_and_stored_bytes() -> None:
    finalization = command(1, K.FINALIZE)
    (short,) = plan([finalization], 1, MOST)
    (long,) = plan([replace(finalization, result_link="x" * 1_000)], 1, MOST)
    assert short.gas_bound(0) >= 600_000
    assert short.gas_bound(3) == short.gas_bound(0) + 180_000
    assert long.gas_bound(0) - short.gas_bound(0) >= 1_000 * 1_000
    (claims,) = plan([command(number, K.CLAIM) for number in range(3)], 1, MOST)
    assert claims.gas_bound(0) == 900_000
