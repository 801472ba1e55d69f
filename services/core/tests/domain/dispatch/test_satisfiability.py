"""Tasks that no set of the pool's workers can ever satisfy are said to be so at once."""

from collections.abc import Callable
from typing import Any

import pytest
from workerpool_core.domain import decisions as d
from workerpool_core.domain.dispatch.satisfiability import lacking
from workerpool_core.domain.live import LiveWorker
from workerpool_core.domain.policy import Policy
from workerpool_core.simulation.deals import deal_terms
from workerpool_poco.protocol.ids import DealId, TaskId

from services.core.tests.doubles.scripted_pool import GPU, SCONE, TDX, ScriptedPool


def said(pool: ScriptedPool, task: TaskId) -> list[str]:
    return [effect.reason for effect in pool.sent(d.TaskUnsatisfiable, task_id=task)]


def test_trust_64_with_three_workers_is_said_at_once_and_once(pool: ScriptedPool) -> None:
    pool.connect_all(1, 2, 3)
    pool.wait(2)
    (task,) = pool.deal(trust=64)
    assert len(said(pool, task)) == 1
    assert "trust 64" in said(pool, task)[0]
    assert "the pool has 3" in said(pool, task)[0]
    pool.mine(pool.log("INITIALIZE", task))
    pool.live(120, 1, 2, 3)
    assert len(said(pool, task)) == 1


@pytest.mark.parametrize(("tag", "words"), [(SCONE, "SCONE"), (TDX, "TDX"), (GPU, "GPU")])
def test_a_tag_that_no_worker_can_run_is_said(pool: ScriptedPool, tag: str, words: str) -> None:
    pool.connect(1)
    pool.wait(2)
    (task,) = pool.deal(tag=tag)
    assert words in said(pool, task)[0]


def test_memory_that_no_worker_has_is_said(make_pool: Callable[..., ScriptedPool]) -> None:
    pool = make_pool(Policy(slot_memory_bytes=1 << 40))
    pool.connect(1)
    pool.wait(2)
    (task,) = pool.deal()
    assert "memory" in said(pool, task)[0]


def test_it_is_taken_back_when_workers_join(pool: ScriptedPool) -> None:
    pool.connect(1)
    pool.wait(2)
    task = pool.ready(trust=3)
    assert len(said(pool, task)) == 1
    pool.connect(2)
    pool.live(2, 1, 2)
    assert said(pool, task)[1:] == [""]


def test_it_is_said_when_workers_are_lost(pool: ScriptedPool) -> None:
    pool.connect_all(1, 2)
    pool.wait(2)
    (task,) = pool.deal(trust=3)
    assert said(pool, task) == []
    pool.live(pool.policy.liveness_s + 2, 1)
    assert len(said(pool, task)) == 1


def test_nothing_is_said_of_a_pool_without_workers(pool: ScriptedPool) -> None:
    (task,) = pool.deal(trust=64)
    pool.wait(5)
    assert said(pool, task) == []


def test_deal_dry_bag_few_tasks_of_a_bag_that_cannot_be_satisfied_are_started(pool: ScriptedPool) -> None:
    pool.connect_all(1, 2, 3, slots=16)
    pool.wait(2)
    pool.deal(trust=64, bot_size=1_000)
    for _ in range(5):
        pool.mine(*(pool.log("INITIALIZE", task) for task in pool.scheduler.tasks))
        pool.wait(1)
    assert len(pool.scheduler.tasks) == pool.policy.tasks_ahead


@pytest.mark.parametrize(
    ("weights", "trust", "satisfied"),
    [([2], 1, True), ([2, 2], 3, True), ([2], 3, False), ([30, 30], 64, True), ([2] * 500, 2**62, True)],
)
def test_weights_decide(weights: list[int], trust: int, satisfied: bool, add_worker: Any) -> None:
    workers: list[LiveWorker] = []
    for number, weight in enumerate(weights):
        live = add_worker(f"0xW{number}")
        live.weight = weight
        workers.append(live)
    terms = deal_terms(DealId("0x1"), start=0, execution_s=1, trust=trust)
    assert (lacking(workers, Policy(), terms) == "") is satisfied
