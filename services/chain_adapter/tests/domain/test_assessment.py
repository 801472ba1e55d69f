"""What the contract would answer, for each command and state of its task."""

from dataclasses import replace
from typing import Any

import pytest
from eth_utils.crypto import keccak
from workerpool_chain_adapter.domain.assessment import (
    ChainSnapshot,
    Impossible,
    InEffect,
    OrderSnapshot,
    Sendable,
    assess,
)
from workerpool_chain_adapter.domain.command import Command, CommandKey, CommandKind
from workerpool_poco.protocol.ids import ZERO_ADDRESS, ZERO_BYTES32, DealId, TaskId
from workerpool_poco.protocol.model import ChainTask, Deal, Resource
from workerpool_poco.protocol.statuses import ChainTaskStatus

OWNER, OTHER, CALLBACK = ("0x" + digit * 40 for digit in "123")
START, CONTRIBUTION_END, REVEAL_END, FINAL = 1_000, 3_100, 2_600, 4_000
DATA = b"callback data"

DEAL = Deal(
    deal_id=DealId("0x" + "dd" * 32),
    app=Resource(ZERO_ADDRESS, ZERO_ADDRESS, 0),
    dataset=Resource(ZERO_ADDRESS, ZERO_ADDRESS, 0),
    workerpool=Resource(ZERO_ADDRESS, OWNER, 0),
    trust=1,
    category=0,
    tag=ZERO_BYTES32,
    requester=OTHER,
    beneficiary=OTHER,
    callback=ZERO_ADDRESS,
    params="",
    start_time=START,
    bot_first=5,
    bot_size=3,
    worker_stake=0,
    scheduler_reward_ratio=0,
    sponsor=OTHER,
)
TASK = ChainTask(
    task_id=TaskId("0x" + "77" * 32),
    status=ChainTaskStatus.REVEALING,
    deal_id=DealId("0x" + "dd" * 32),
    index=5,
    category_time=300,
    contribution_deadline=CONTRIBUTION_END,
    reveal_deadline=REVEAL_END,
    final_deadline=FINAL,
    consensus_value=ZERO_BYTES32,
    reveal_counter=2,
    winner_counter=2,
    contributors=(),
    result_digest=keccak(DATA),
    results=b"",
    results_timestamp=0,
    results_callback=b"",
)
STATUS = ChainTaskStatus
UNKNOWN_DEAL = replace(DEAL, start_time=0)


def verdict(
    kind: CommandKind, *, deal: Deal = DEAL, now: int = 2_000, block_time: int | None = None, **changes: Any
) -> Any:
    index, data = changes.pop("index", 5), changes.pop("data", "")
    command = Command(
        CommandKey(TaskId("0x" + "11" * 32), kind),
        0,
        0,
        deal_id=changes.pop("deal_id", DealId("")),
        task_index=index,
        callback_data=data,
    )
    seen_at = now if block_time is None else block_time
    task = replace(TASK, **changes)
    return assess(command, ChainSnapshot(deal, task, CONTRIBUTION_END, FINAL, 7, seen_at, now, OWNER))


def outcome(answer: Any) -> Any:
    return answer.reason if isinstance(answer, Impossible) else type(answer)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"status": STATUS.UNSET}, Sendable),
        ({"status": STATUS.UNSET, "index": 7}, Sendable),
        ({"status": STATUS.UNSET, "now": CONTRIBUTION_END - 1}, Sendable),
        ({"status": STATUS.UNSET, "now": CONTRIBUTION_END}, "CONTRIBUTION_DEADLINE_REACHED"),
        ({"status": STATUS.UNSET, "index": 4}, "TASK_INDEX_OUTSIDE_DEAL"),
        ({"status": STATUS.UNSET, "index": 8}, "TASK_INDEX_OUTSIDE_DEAL"),
        ({"status": STATUS.UNSET, "deal": UNKNOWN_DEAL}, "DEAL_NOT_FOUND"),
        ({"status": STATUS.ACTIVE, "now": FINAL}, InEffect),
        ({"status": STATUS.COMPLETED}, InEffect),
        ({"status": STATUS.FAILED}, InEffect),
    ],
)
def test_initialize(changes: dict[str, Any], expected: Any) -> None:
    assert outcome(verdict(CommandKind.INITIALIZE, **changes)) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Sendable),
        ({"reveal_counter": 1, "now": REVEAL_END}, Sendable),
        ({"reveal_counter": 1, "now": REVEAL_END - 1}, "REVEALS_MISSING"),
        ({"reveal_counter": 0, "now": REVEAL_END}, "REVEALS_MISSING"),
        ({"now": FINAL - 1}, Sendable),
        ({"now": FINAL}, "FINAL_DEADLINE_REACHED"),
        ({"status": STATUS.UNSET}, "TASK_NOT_FOUND"),
        ({"status": STATUS.ACTIVE}, "TASK_NOT_REVEALING"),
        ({"status": STATUS.FAILED}, "TASK_NOT_REVEALING"),
        ({"status": STATUS.COMPLETED, "now": FINAL}, InEffect),
        ({"deal": replace(DEAL, workerpool=Resource(ZERO_ADDRESS, OTHER, 0))}, "NOT_POOL_OWNER"),
        ({"data": "0x12"}, "CALLBACK_DATA_MISMATCH"),
        ({"deal": replace(DEAL, callback=CALLBACK)}, "CALLBACK_DATA_MISMATCH"),
        ({"deal": replace(DEAL, callback=CALLBACK), "data": "0x" + DATA.hex()}, Sendable),
    ],
)
def test_finalize(changes: dict[str, Any], expected: Any) -> None:
    """Scenario 29: each refusal alone, and what is accepted after the reveal deadline."""
    assert outcome(verdict(CommandKind.FINALIZE, **changes)) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"reveal_counter": 0, "now": REVEAL_END}, Sendable),
        ({"reveal_counter": 0, "now": REVEAL_END - 1}, "REVEAL_DEADLINE_NOT_REACHED"),
        ({"reveal_counter": 0, "now": FINAL}, "FINAL_DEADLINE_REACHED"),
        ({"reveal_counter": 1, "now": REVEAL_END}, "ALREADY_REVEALED"),
        ({"status": STATUS.ACTIVE}, InEffect),
        ({"status": STATUS.UNSET}, "TASK_NOT_FOUND"),
        ({"status": STATUS.COMPLETED}, "TASK_NOT_REVEALING"),
    ],
)
def test_reopen(changes: dict[str, Any], expected: Any) -> None:
    assert outcome(verdict(CommandKind.REOPEN, **changes)) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"now": FINAL}, Sendable),
        ({"status": STATUS.ACTIVE, "now": FINAL}, Sendable),
        ({"now": FINAL - 1}, "FINAL_DEADLINE_NOT_REACHED"),
        ({"status": STATUS.UNSET, "now": FINAL}, "TASK_NOT_FOUND"),
        ({"status": STATUS.COMPLETED, "now": FINAL}, "TASK_COMPLETED"),
        ({"status": STATUS.FAILED}, InEffect),
    ],
)
def test_claim(changes: dict[str, Any], expected: Any) -> None:
    assert outcome(verdict(CommandKind.CLAIM, **changes)) == expected


NEVER_INITIALIZED: dict[str, Any] = {"status": STATUS.UNSET, "final_deadline": 0, "deal_id": DEAL.deal_id}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"now": FINAL}, Sendable),
        ({"now": FINAL, "index": 7}, Sendable),
        ({"now": FINAL - 1}, "FINAL_DEADLINE_NOT_REACHED"),
        ({"now": FINAL, "index": 8}, "TASK_INDEX_OUTSIDE_DEAL"),
        ({"now": FINAL, "deal": UNKNOWN_DEAL}, "DEAL_NOT_FOUND"),
        ({"now": FINAL, "deal_id": DealId("")}, "TASK_NOT_FOUND"),
    ],
)
def test_a_claim_of_a_task_that_was_never_initialized(changes: dict[str, Any], expected: Any) -> None:
    found = verdict(CommandKind.CLAIM, **(NEVER_INITIALIZED | changes))
    assert outcome(found) == expected
    if isinstance(found, Sendable):
        assert not found.is_initialized


def test_a_claim_of_an_initialized_task_counts_its_contributors() -> None:
    found = verdict(CommandKind.CLAIM, now=FINAL, contributors=(OTHER, OWNER))
    assert found == Sendable(7, True, True, 2)


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (CommandKind.CLAIM, {"now": FINAL}),
        (CommandKind.CLAIM, {"now": FINAL, **NEVER_INITIALIZED}),
        (CommandKind.REOPEN, {"now": REVEAL_END, "reveal_counter": 0}),
        (CommandKind.FINALIZE, {"now": REVEAL_END, "reveal_counter": 1}),
    ],
)
def test_a_deadline_that_passed_since_the_newest_block_is_not_proven_by_it(
    kind: CommandKind, changes: dict[str, Any]
) -> None:
    """A sequencer chain makes no block while it has no transaction; the next block carries the time of the clock."""
    assert verdict(kind, **changes).is_proven
    found = verdict(kind, block_time=changes["now"] - 1, **changes)
    assert isinstance(found, Sendable)
    assert not found.is_proven


@pytest.mark.parametrize(
    ("kind", "changes", "reason"),
    [
        (CommandKind.INITIALIZE, {"status": STATUS.UNSET, "now": CONTRIBUTION_END}, "CONTRIBUTION_DEADLINE"),
        (CommandKind.FINALIZE, {"now": FINAL}, "FINAL_DEADLINE"),
    ],
)
def test_a_deadline_ends_a_command_also_without_a_block(
    kind: CommandKind, changes: dict[str, Any], reason: str
) -> None:
    assert verdict(kind, block_time=1_500, **changes).reason == f"{reason}_REACHED"


@pytest.mark.parametrize(
    ("consumed", "owner", "expected"),
    [
        (0, OWNER, Sendable),
        (2, OWNER, Sendable),
        (3, OWNER, InEffect),
        (3, OTHER, InEffect),
        (0, OTHER, "NOT_POOL_OWNER"),
        (0, None, "WORKERPOOL_NOT_FOUND"),
    ],
)
def test_cancel_order(consumed: int, owner: str | None, expected: Any) -> None:
    command = Command(CommandKey(TaskId("0x" + "11" * 32), CommandKind.CANCEL_ORDER), 0, 0)
    found = assess(command, OrderSnapshot(3, consumed, owner, 7, OWNER))
    assert outcome(found) == expected
    if isinstance(found, Sendable):
        assert (found.block_number, found.is_proven) == (7, True)
    if isinstance(found, Impossible):
        assert found.missing is (owner is None)
