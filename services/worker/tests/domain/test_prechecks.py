"""Checks before a contribution and a reveal."""

from typing import Any

import pytest
from workerpool_poco.protocol.ids import ZERO_ADDRESS
from workerpool_poco.protocol.model import Account
from workerpool_poco.protocol.statuses import ChainTaskStatus
from workerpool_worker.domain.prechecks import contribution_obstacles, reveal_obstacle

from services.worker.tests.harness.builders import WORKER, chain_task

CONSENSUS = b"c" * 32


def causes(stake: int = 10, now: float = 1.0, **fields: Any) -> list[str]:
    task = chain_task(**({"contribution_deadline": 1000} | fields))
    found = contribution_obstacles(task, Account(stake, 0), worker=WORKER, worker_stake=5, now=now)
    return [cause.value for cause in found]


def test_each_obstacle_to_a_contribution_has_its_cause() -> None:
    """Scenario 10: each cause alone."""
    assert causes() == []
    assert causes(stake=4) == ["STAKE_TOO_LOW"]
    assert causes(status=ChainTaskStatus.REVEALING) == ["TASK_NOT_ACTIVE"]
    assert causes(now=1000.0) == ["CONTRIBUTION_TIMEOUT"]
    assert causes(contributors=(ZERO_ADDRESS, WORKER)) == ["CONTRIBUTION_ALREADY_SET"]


def test_causes_come_in_the_protocols_order() -> None:
    """Scenario 10: several causes together."""
    assert causes(4, 2000.0, status=ChainTaskStatus.FAILED, contributors=(WORKER,)) == [
        "STAKE_TOO_LOW", "TASK_NOT_ACTIVE", "CONTRIBUTION_TIMEOUT", "CONTRIBUTION_ALREADY_SET",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "own_hash", "contributed", "now", "text"),
    [
        ({}, CONSENSUS, True, 1, ""),
        ({"status": ChainTaskStatus.ACTIVE}, CONSENSUS, True, 1, "the task is ACTIVE, not REVEALING"),
        ({}, CONSENSUS, True, 500, "the reveal deadline has passed"),
        ({}, CONSENSUS, False, 1, "the worker has no contribution to reveal on chain"),
        ({"consensus_value": b"d" * 32}, CONSENSUS, True, 1, "consensus was reached on another result"),
        ({}, b"x" * 32, True, 1, "the result on disk differs from the contributed result"),
    ],
)
def test_obstacles_to_a_reveal(
    fields: dict[str, Any], own_hash: bytes, contributed: bool, now: float, text: str
) -> None:
    """Scenario 24: not REVEALING, deadline passed, not the consensus, another result on disk."""
    values = {"status": ChainTaskStatus.REVEALING, "reveal_deadline": 500, "consensus_value": CONSENSUS}
    task = chain_task(**(values | fields))
    assert reveal_obstacle(task, CONSENSUS, own_hash, contributed=contributed, now=now) == text
