"""What the contract would answer, for each command and state of its task."""

from dataclasses import replace
from typing import Any

import pytest
from eth_utils.crypto import keccak
from workerpool_chain_adapter.domain.assessment import ChainSnapshot, Impossible, InEffect, Sendable, assess
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


def verdict(kind: CommandKind, *, deal: Deal = DEAL, now: int = 2_000, **changes: Any) -> Any:
    index, data = changes.pop("index", 5), changes.pop("data", "")
    command = Command(CommandKey(TaskId("0x" + "11" * 32), kind), 0, 0, task_index=index, callback_data=data)
    return assess(command, ChainSnapshot(deal, replace(TASK, **changes), CONTRIBUTION_END, now, OWNER))


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
