"""Why a worker gets no work: one sentence per reason."""

from typing import Any

import pytest
from workerpool_core.domain import events as e
from workerpool_core.domain.dispatch.idle_reason import IdleReasons
from workerpool_core.domain.explanations.reason_codes import ReasonCode as Code
from workerpool_core.domain.explanations.reasons import REASONS
from workerpool_core.domain.live import LiveWorker
from workerpool_core.domain.policy import Policy
from workerpool_poco.protocol.statuses import ReplicateStatus as R

from services.core.tests.doubles.kept_workers import FOREVER, distrust, drain, park, unlist
from services.core.tests.doubles.scripted_pool import GPU, ScriptedPool

WORKER = "0xWorker1"


def reason(pool: ScriptedPool) -> str:
    told = pool.scheduler.explain(pool.now).worker(WORKER)
    assert told is not None
    assert told.next_step
    return told.sentences


def live(pool: ScriptedPool) -> LiveWorker:
    return pool.scheduler._state.workers[WORKER]


def test_no_task_waits(pool: ScriptedPool) -> None:
    pool.connect(1)
    assert "No task waits" in reason(pool)


def test_it_is_not_connected(pool: ScriptedPool) -> None:
    pool.connect(1)
    pool.cut(1)
    assert "not been connected since" in reason(pool)


def test_it_has_left_and_will_be_back(pool: ScriptedPool) -> None:
    pool.connect(1)
    pool.handle(e.WorkerLeft(WORKER, pool.sessions[WORKER], 600.0))
    assert "announced its return" in reason(pool)


def test_it_is_not_on_the_whitelist(pool: ScriptedPool) -> None:
    pool.connect(1)
    pool.handle(e.WhitelistChanged(frozenset({"0xWorker2"})))
    assert "whitelist" in reason(pool)


@pytest.mark.parametrize(
    ("until", "told"), [(float("inf"), "is draining the worker."), (2e6, "until 1970-01-24")]
)
def test_it_is_drained(pool: ScriptedPool, until: float, told: str) -> None:
    pool.connect(1)
    pool.handle(e.WorkerDrained(WORKER, until))
    assert told in reason(pool)


def test_it_is_in_quarantine(pool: ScriptedPool) -> None:
    pool.connect(1, slots=pool.policy.quarantine_after)
    for task in [pool.ready() for _ in range(pool.policy.quarantine_after)]:
        pool.report(1, task, R.STARTING, R.START_FAILED)
    assert "in quarantine until" in reason(pool)


def test_it_refuses_work_itself_and_gets_some_once_it_takes_it(pool: ScriptedPool) -> None:
    pool.connect(1)
    session = pool.sessions[WORKER]
    pool.handle(e.WorkerParked(WORKER, session, "the disk is full"))
    task = pool.ready()
    assert reason(pool).startswith("The worker takes no work: the disk is full")
    assert pool.assigned(task) == []
    waiting = pool.scheduler.explain(pool.now).waiting(task)
    assert waiting is not None
    assert "the disk is full" not in waiting.sentences
    pool.handle(e.WorkerParked(WORKER, "an older session", ""))
    assert pool.assigned(task) == []
    pool.handle(e.WorkerParked(WORKER, session, ""))
    assert pool.assigned(task) == [WORKER]


def test_a_worker_that_connects_parked_gets_no_work(pool: ScriptedPool) -> None:
    pool.connect(1)
    pool.cut(1)
    task = pool.ready()
    model = pool.models[WORKER]
    pool.handle(e.WorkerConnected(WORKER, "parked", model, (), parked_reason="it drains"))
    assert pool.assigned(task) == []
    assert "it drains" in reason(pool)


def test_it_has_no_gas(pool: ScriptedPool) -> None:
    pool.connect(1, weight=0)
    assert "no gas" in reason(pool)


def test_the_chain_is_down(pool: ScriptedPool) -> None:
    pool.connect(1)
    pool.handle(e.ChainHealthChanged(False))
    assert "node of the chain" in reason(pool)


def test_its_slots_are_in_use(pool: ScriptedPool) -> None:
    pool.connect(1, slots=2)
    for _ in range(2):
        pool.ready()
    assert reason(pool).startswith("All its 2 slots are in use.")


def test_it_has_too_little_memory_for_a_slot_of_the_pool(pool: ScriptedPool) -> None:
    tight = ScriptedPool(Policy(slot_memory_bytes=16 << 30))
    tight.connect(1)
    assert "less memory" in reason(tight)


def test_it_cannot_take_the_tasks_that_wait(pool: ScriptedPool) -> None:
    pool.connect(1)
    pool.ready(tag=GPU)
    pool.ready(worker_stake=1_000)
    told = reason(pool)
    assert "none of the 2 waiting tasks" in told
    assert "1 need a GPU or an enclave" in told
    assert "1 need more stake" in told


def test_its_only_slot_is_in_use(pool: ScriptedPool) -> None:
    pool.connect(1, slots=1)
    pool.ready()
    assert reason(pool).startswith("Its slot is in use.")


def test_a_drain_that_has_ended_is_not_told(pool: ScriptedPool) -> None:
    pool.connect(1)
    pool.handle(e.WorkerDrained(WORKER, pool.now + 60))
    assert "is draining the worker until" in reason(pool)
    pool.live(61, 1)
    assert "No task waits" in reason(pool)


def test_a_worker_late_for_its_return_is_to_be_started(pool: ScriptedPool) -> None:
    pool.connect(1)
    pool.handle(e.WorkerLeft(WORKER, pool.sessions[WORKER], 600.0))
    pool.cut(1)
    assert "announced its return" in reason(pool)
    pool.wait(601)
    assert "Start it" in reason(pool)


def test_a_worker_that_did_not_start_its_assignments_is_reported(pool: ScriptedPool) -> None:
    pool.connect(1)
    live(pool).silent = True
    assert "did not start its last assignments" in reason(pool)


def test_it_has_tried_the_task_that_waits(pool: ScriptedPool) -> None:
    pool.connect(1, slots=2)
    task = pool.ready()
    pool.report(1, task, R.STARTING, R.START_FAILED)
    assert "1 were tried by it already" in reason(pool)


def test_a_task_that_it_can_take_is_promised_even_beside_others_that_it_cannot(pool: ScriptedPool) -> None:
    task = pool.ready()
    pool.ready(tag=GPU)
    pool.connect(1, weight=0)
    assert "no gas" in reason(pool)
    live(pool).weight = 2
    assert pool.assigned(task) == [], "the dispatcher has not run since"
    assert "within seconds" in reason(pool)


def test_the_most_frequent_obstacle_comes_first(pool: ScriptedPool) -> None:
    pool.connect(1)
    pool.ready(tag=GPU)
    for _ in range(2):
        pool.ready(worker_stake=1_000)
    assert "2 need more stake than it has deposited, 1 need a GPU or an enclave." in reason(pool)


def test_a_stake_that_covers_one_task_is_enough(pool: ScriptedPool) -> None:
    pool.ready(worker_stake=1_000)
    pool.connect(1, weight=0)
    live(pool).weight = 2
    live(pool).stake = 999
    assert "1 need more stake" in reason(pool)
    live(pool).stake = 1_000
    assert "within seconds" in reason(pool)


def test_of_many_waiting_tasks_two_hundred_are_compared(pool: ScriptedPool) -> None:
    pool.connect(1)
    for _ in range(205):
        pool.ready(tag=GPU)
    assert "none of the 200 waiting tasks" in reason(pool)


def test_reasons_come_in_the_order_connection_whitelist_drain(pool: ScriptedPool) -> None:
    pool.connect(1, weight=0)
    pool.handle(e.ChainHealthChanged(False))
    pool.handle(e.WorkerDrained(WORKER, float("inf")))
    assert "draining" in reason(pool)
    pool.handle(e.WhitelistChanged(frozenset({"0xWorker2"})))
    assert "whitelist" in reason(pool)
    pool.cut(1)
    assert "has not been connected" in reason(pool)


# --- codes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda _pool, _number: None, Code.NO_TASK_WAITS),
        (drain, Code.WORKER_DRAINED),
        (distrust, Code.WORKER_QUARANTINED),
        (park, Code.WORKER_PARKED),
        (unlist, Code.WORKER_UNLISTED),
        (lambda pool, number: pool.cut(number), Code.WORKER_DISCONNECTED),
        (
            lambda pool, number: pool.handle(
                e.WorkerLeft(f"0xWorker{number}", pool.sessions[f"0xWorker{number}"], 60.0)
            ),
            Code.WORKER_AWAY,
        ),
        (lambda pool, number: pool.connect(number, weight=0), Code.WORKER_WITHOUT_GAS),
        (lambda pool, number: (pool.connect(number, slots=1), pool.ready()), Code.WORKER_BUSY),
        (lambda pool, _number: pool.ready(tag=GPU), Code.NO_TASK_FITS),
    ],
)
def test_each_reason_has_its_code_its_side_and_no_evidence_beyond_its_row(
    pool: ScriptedPool, change: Any, code: Code
) -> None:
    pool.connect(1)
    change(pool, 1)
    found = IdleReasons(pool.scheduler._state, pool.now).of(WORKER)
    assert found.code is code
    assert found.side is REASONS[code].side
    assert {key for key, _ in found.evidence} <= set(REASONS[code].evidence)


def test_a_quarantine_by_the_operator_says_so(pool: ScriptedPool) -> None:
    pool.connect(1)
    pool.handle(e.WorkerQuarantined(WORKER, FOREVER))
    found = IdleReasons(pool.scheduler._state, pool.now).of(WORKER)
    assert "operator has put the worker in quarantine." in found.message
    assert (found.evidence, found.until) == ((("by_operator", "true"),), 0.0)


def test_workers_of_one_list_are_compared_with_the_same_tasks(pool: ScriptedPool) -> None:
    pool.connect(1)
    pool.ready(tag=GPU)
    reasons = IdleReasons(pool.scheduler._state, pool.now)
    assert reasons.of(WORKER).code is Code.NO_TASK_FITS
    pool.connect(2, gpus=1)
    assert reasons.of("0xWorker2").code is Code.WORKER_BUSY
    assert reasons.of(WORKER).code is Code.NO_TASK_FITS, "the list was made before the task got its worker"
