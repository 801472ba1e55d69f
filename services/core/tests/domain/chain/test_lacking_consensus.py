"""The chain weighs a worker at its contribution, the scheduler at its assignment: the chain decides."""

from typing import Any

import pytest
from workerpool_core.domain import events as e
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus as R

from services.core.tests.doubles.scripted_pool import ScriptedPool

HASH_A = "0x" + "aa" * 32


def with_forecast_consensus(pool: ScriptedPool, weight: int = 4) -> TaskId:
    """Return a task with two contributions that are a consensus by the weights at their assignment."""
    for number in (1, 2):
        pool.connect(number, weight=weight)
    task = pool.ready(trust=9)
    assert pool.assigned(task) == ["0xWorker1", "0xWorker2"]
    pool.connect_all(3, 4)
    for number in (1, 2):
        pool.compute(number, task)
        pool.report(number, task, R.CONTRIBUTING)
        pool.contribute(number, task)
    return task


def on_chain(*numbers: int) -> dict[int, tuple[str, str]]:
    return {number: ("CONTRIBUTED", HASH_A) for number in numbers}


def test_without_consensus_on_chain_one_more_worker_is_assigned_at_a_time(pool: ScriptedPool) -> None:
    task = with_forecast_consensus(pool)
    assert len(pool.assigned(task)) == 2
    pool.read(task, "ACTIVE", on_chain(1, 2))
    assert pool.assigned(task) == ["0xWorker1", "0xWorker2", "0xWorker3"]
    pool.read(task, "ACTIVE", on_chain(1, 2))
    assert len(pool.assigned(task)) == 3
    pool.compute(3, task)
    pool.contribute(3, task)
    assert len(pool.assigned(task)) == 4


def test_with_consensus_on_chain_no_worker_is_assigned(pool: ScriptedPool) -> None:
    task = with_forecast_consensus(pool)
    pool.read(task, "REVEALING", on_chain(1, 2), winners=2, value=HASH_A)
    assert pool.status(task) == "CONSENSUS_REACHED"
    assert len(pool.assigned(task)) == 2


@pytest.mark.parametrize("known", [(), (1,)])
def test_a_read_without_every_contribution_is_not_conclusive(pool: ScriptedPool, known: Any) -> None:
    task = with_forecast_consensus(pool)
    pool.read(task, "ACTIVE", on_chain(*known))
    assert len(pool.assigned(task)) == 2


def test_while_a_contribution_is_expected_no_worker_is_assigned(pool: ScriptedPool) -> None:
    pool.connect_all(1, 2, 3)
    task = pool.ready(trust=3)
    pool.compute(1, task)
    pool.contribute(1, task)
    pool.read(task, "ACTIVE", on_chain(1))
    assert pool.assigned(task) == ["0xWorker1", "0xWorker2"]


def test_the_periodic_reconciliation_detects_the_missing_consensus(pool: ScriptedPool) -> None:
    task = with_forecast_consensus(pool)
    pool.handle(e.ReconcileDue())
    pool.read(task, "ACTIVE", on_chain(1, 2))
    assert len(pool.assigned(task)) == 3
