"""The states of a command, and the moves between them."""

import itertools

import pytest
from workerpool_chain_adapter.domain.command import (
    TRANSITIONS,
    Command,
    CommandKey,
    CommandKind,
    CommandState,
    IllegalTransition,
)
from workerpool_poco.protocol.ids import TaskId

KEY = CommandKey(TaskId("0x" + "11" * 32), CommandKind.INITIALIZE)
NEW = Command(KEY, 100.0, 100.0)


def in_state(state: CommandState) -> Command:
    return Command(KEY, 100.0, 100.0, state=state)


def move(command: Command, to: CommandState) -> Command:
    match to:
        case CommandState.RECEIVED:
            return command.requeued(200.0)
        case CommandState.PROCESSING:
            # A command leaves SUCCESS for PROCESSING only with its transaction.
            done = command.state is CommandState.SUCCESS
            return command.reorged(200.0) if done else command.processing("0xaa", 200.0)
        case CommandState.SUCCESS:
            return command.succeeded(200.0)
        case CommandState.FAILURE:
            return command.failed(200.0, "REASON", "text")


@pytest.mark.parametrize(("source", "target"), list(itertools.product(CommandState, CommandState)))
def test_a_command_moves_only_as_the_table_allows(source: CommandState, target: CommandState) -> None:
    """Scenario 28: an illegal transition is rejected, such as a final state before PROCESSING."""
    again = (CommandState.PROCESSING, CommandState.PROCESSING)  # a replacement with a higher fee
    if (source, target) in TRANSITIONS | {again}:
        assert move(in_state(source), target).state is target
    else:
        with pytest.raises(IllegalTransition):
            move(in_state(source), target)


def test_each_transaction_and_replacement_counts_as_an_attempt() -> None:
    sent = NEW.processing("0xaa", 101.0)
    replaced = sent.processing("0xbb", 102.0)
    assert (sent.attempts, replaced.attempts) == (1, 2)
    assert (replaced.transaction_hash, replaced.updated_at) == ("0xbb", 102.0)


def test_a_new_request_restarts_a_command_with_the_new_arguments() -> None:
    failed = NEW.processing("0xaa", 101.0).failed(102.0, "REASON", "text")
    asked = Command(KEY, 200.0, 200.0, result_link="new")
    again = failed.restarted(asked)
    assert (again.state, again.attempts, again.error_reason) == (CommandState.RECEIVED, 0, "")
    assert (again.created_at, again.updated_at, again.result_link) == (100.0, 200.0, "new")


@pytest.mark.parametrize("state", [CommandState.RECEIVED, CommandState.PROCESSING])
def test_a_command_in_progress_cannot_restart(state: CommandState) -> None:
    with pytest.raises(IllegalTransition):
        in_state(state).restarted(NEW)


def test_a_reorged_command_waits_in_the_same_transaction() -> None:
    done = NEW.processing("0xaa", 101.0).succeeded(102.0, transaction_hash="0xaa", block_number=7, gas_used=9)
    back = done.reorged(103.0)
    assert (back.state, back.transaction_hash, back.attempts) == (CommandState.PROCESSING, "0xaa", 1)
    assert (back.block_number, back.gas_used, back.updated_at) == (0, 0, 103.0)


def test_a_succeeded_command_joins_no_transaction_until_it_is_requested_again() -> None:
    with pytest.raises(IllegalTransition):
        in_state(CommandState.SUCCESS).processing("0xbb", 200.0)


def test_a_command_that_returns_to_its_transaction_is_no_new_attempt() -> None:
    requeued = NEW.processing("0xaa", 101.0).requeued(102.0)
    assert requeued.processing("0xaa", 103.0).attempts == 1


def test_only_transactions_without_effect_count_as_reverts() -> None:
    displaced = NEW.processing("0xaa", 101.0).requeued(102.0)
    reverted = displaced.processing("0xbb", 103.0).requeued(104.0, reverted=True)
    assert (displaced.reverts, reverted.reverts) == (0, 1)
