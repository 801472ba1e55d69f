"""How waiting commands are grouped into transactions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workerpool_chain_adapter.domain.command import Command, CommandKey, CommandKind
from workerpool_chain_adapter.domain.planning import largest_batch, plan
from workerpool_poco.protocol.contracts import abi
from workerpool_poco.protocol.ids import DealId, TaskId

K = CommandKind
kinds = st.sampled_from(list(K))


def command(number: int, kind: CommandKind) -> Command:
    key = CommandKey(TaskId(f"0x{number:064x}"), kind)
    return Command(key, number, number, deal_id=DealId("0x" + "dd" * 32))


@given(st.lists(kinds), st.integers(0, 20), st.integers(1, 10))
def test_each_command_is_planned_once_within_room_and_batch_size(
    wanted: list[CommandKind], room: int, size: int
) -> None:
    waiting = [command(number, kind) for number, kind in enumerate(wanted)]
    plans = plan(waiting, room, size)
    planned = [each for one in plans for each in one.commands]
    assert len(plans) <= room
    assert len(planned) == len(set(planned))
    assert all(
        len(one.commands) <= size and {each.key.kind for each in one.commands} == {one.kind} for one in plans
    )
    if len(plans) < room:
        assert set(planned) == set(waiting)


def test_finalizations_go_first_and_initializations_share_a_transaction() -> None:
    waiting = [command(number, K.INITIALIZE) for number in range(5)] + [command(9, K.FINALIZE)]
    plans = plan(waiting, 10, 100)
    assert [(one.kind, len(one.commands)) for one in plans] == [(K.FINALIZE, 1), (K.INITIALIZE, 5)]


def test_a_batch_is_split_into_one_plan_per_command() -> None:
    (batch,) = plan([command(number, K.CLAIM) for number in range(3)], 1)
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
    ],
)
def test_each_kind_calls_its_contract_function(kind: CommandKind, count: int, function: str) -> None:
    (one,) = plan([command(number, kind) for number in range(count)], 1)
    assert one.data[:4] == abi.HUB[function].selector


@pytest.mark.parametrize(
    ("limit", "batch"), [(30_000_000, 90), (1_000_000_000, 100), (6_700_000, 20), (100_000, 1)]
)
def test_a_batch_fits_into_a_block(limit: int, batch: int) -> None:
    assert largest_batch(limit) == batch
