"""Batches, nonces, fees, and what nodes say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workerpool_chain_adapter.adapters.node_errors import outcome_of
from workerpool_chain_adapter.domain.command import Command, CommandKey, CommandKind
from workerpool_chain_adapter.domain.fees import GasPolicy
from workerpool_chain_adapter.domain.nonces import next_nonce
from workerpool_chain_adapter.domain.planning import largest_batch, plan
from workerpool_chain_adapter.domain.sending import SendOutcome
from workerpool_poco.chain.transaction_errors import classify
from workerpool_poco.errors import RpcError
from workerpool_poco.protocol.contracts import abi

K = CommandKind
kinds = st.sampled_from(list(K))


def command(number: int, kind: CommandKind) -> Command:
    return Command(CommandKey(f"0x{number:064x}", kind), number, number, deal_id="0x" + "dd" * 32)


@given(st.lists(kinds), st.integers(0, 20), st.integers(1, 10))
def test_no_command_is_planned_twice_and_room_and_batch_size_are_kept(
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


def test_finalizations_overtake_and_initializations_share() -> None:
    waiting = [command(number, K.INITIALIZE) for number in range(5)] + [command(9, K.FINALIZE)]
    plans = plan(waiting, 10, 100)
    assert [(one.kind, len(one.commands)) for one in plans] == [(K.FINALIZE, 1), (K.INITIALIZE, 5)]


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
def test_the_right_function_is_called(kind: CommandKind, count: int, function: str) -> None:
    (one,) = plan([command(number, kind) for number in range(count)], 1)
    assert one.data[:4] == abi.HUB[function].selector


@pytest.mark.parametrize(
    ("limit", "batch"), [(30_000_000, 90), (1_000_000_000, 100), (6_700_000, 20), (100_000, 1)]
)
def test_a_batch_fits_into_a_block(limit: int, batch: int) -> None:
    assert largest_batch(limit) == batch


@given(st.integers(0, 50), st.integers(0, 10), st.sets(st.integers(0, 70)))
def test_a_nonce_is_never_used_twice_and_gaps_are_filled(mined: int, held: int, journaled: set[int]) -> None:
    nonce = next_nonce(mined, mined + held, journaled)
    assert nonce >= mined + held
    assert nonce not in journaled
    assert all(lower in journaled for lower in range(mined + held, nonce))


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.floats(0.1, 5), st.integers(0, 10**12))
def test_no_price_exceeds_the_cap_and_a_bump_is_at_least_15_percent(
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


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        ("already known", SendOutcome.ACCEPTED),
        ("transaction already imported", SendOutcome.ACCEPTED),
        ("nonce too low", SendOutcome.NONCE_USED),
        ("OldNonce", SendOutcome.NONCE_USED),
        ("replacement transaction underpriced", SendOutcome.UNDERPRICED),
        ("max fee per gas less than block base fee", SendOutcome.UNDERPRICED),
        ("insufficient funds for gas * price + value", SendOutcome.NO_FUNDS),
        ("txpool is full", SendOutcome.REFUSED),
    ],
)
def test_the_words_of_nodes_are_understood(words: str, outcome: SendOutcome) -> None:
    assert outcome_of(classify(RpcError("eth_sendRawTransaction", -32000, words))) is outcome
