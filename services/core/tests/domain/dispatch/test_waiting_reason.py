"""Why a task waits: one sentence per obstacle."""

from collections.abc import Callable

import pytest
from workerpool_core.domain import events as e
from workerpool_core.domain.dispatch.waiting_reason import WaitingReasons
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.model import Task
from workerpool_core.domain.policy import Policy
from workerpool_kit.text.spans import utc
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus as R
from workerpool_poco.protocol.statuses import TaskStatus

from services.core.tests.doubles.scripted_pool import SCONE, ScriptedPool


def reason(pool: ScriptedPool, task: TaskId) -> str:
    found = pool.scheduler.explain(pool.now).waiting(task)
    if found is None:
        return ""
    assert found.side is not None
    assert found.next_step
    return found.sentences


def test_no_worker_is_connected(pool: ScriptedPool) -> None:
    task = pool.ready()
    assert "No worker is connected" in reason(pool, task)
    pool.connect(1)
    assert reason(pool, task) == ""


def test_the_chain_is_down(pool: ScriptedPool) -> None:
    task = pool.ready()
    pool.handle(e.ChainHealthChanged(False))
    assert "node of the chain" in reason(pool, task)


def test_no_set_of_workers_can_satisfy_it_even_before_its_initialization(pool: ScriptedPool) -> None:
    pool.connect_all(1, 2, 3)
    (task,) = pool.deal(trust=64)
    assert "trust 64" in reason(pool, task)


def test_all_are_drained(pool: ScriptedPool) -> None:
    pool.connect(1)
    pool.handle(e.WorkerDrained("0xWorker1", float("inf")))
    task = pool.ready()
    assert "drained by the operator. It starts when the operator ends the drain." in reason(pool, task)
    pool.handle(e.WorkerDrained("0xWorker1", pool.now + 60))
    assert f"drained by the operator, until {utc(pool.now + 60)}." in reason(pool, task)


def test_all_are_in_quarantine(pool: ScriptedPool) -> None:
    pool.connect(1, slots=pool.policy.quarantine_after)
    for task in [pool.ready() for _ in range(pool.policy.quarantine_after)]:
        pool.report(1, task, R.STARTING, R.START_FAILED)
    end = pool.ledger.workers["0xWorker1"].quarantined_until
    assert f"in quarantine after failures, until {utc(end)}. It starts then." in reason(pool, pool.ready())


def test_no_gas(pool: ScriptedPool) -> None:
    pool.connect(1, weight=0)
    assert "gas" in reason(pool, pool.ready())


def test_worker_silent_no_stake(pool: ScriptedPool) -> None:
    pool.connect(1)
    assert "stake of 7 nRLC" in reason(pool, pool.ready(worker_stake=7))


def test_worker_silent_all_are_silent(pool: ScriptedPool) -> None:
    pool.connect(1)
    pool.ready()
    pool.wait(pool.policy.assignment_timeout_s)
    assert "do not answer" in reason(pool, pool.ready())


def test_all_slots_are_in_use(pool: ScriptedPool) -> None:
    pool.connect(1, slots=1)
    first, second = pool.ready(), pool.ready()
    assert reason(pool, first) == ""
    assert "All slots of the 1 workers" in reason(pool, second)


def test_every_worker_tried(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready()
    pool.report(1, task, R.STARTING, R.START_FAILED)
    assert "tried the task already" in reason(pool, task)


def test_a_trust_beyond_the_pool_is_said_also_after_the_first_workers_started(pool: ScriptedPool) -> None:
    pool.connect_all(1, 2, 3)
    task = pool.ready(trust=64)
    assert pool.assigned(task)
    assert "trust 64 needs up to" in reason(pool, task)


def test_trust_is_named_when_every_worker_tried(pool: ScriptedPool) -> None:
    pool.connect_all(1, 2, 3)
    task = pool.ready(trust=3)
    for number in (1, 2, 3):
        pool.report(number, task, R.STARTING, R.START_FAILED)
    assert "Trust 3 needs workers that agree." in reason(pool, task)


def test_no_worker_has_the_memory(make_pool: Callable[..., ScriptedPool]) -> None:
    pool = make_pool(Policy(slot_memory_bytes=1 << 40))
    pool.connect(1)
    assert "no worker has the memory for one task" in reason(pool, pool.ready())


def test_no_worker_has_the_enclave(pool: ScriptedPool) -> None:
    pool.connect(1)
    (task,) = pool.deal(tag=SCONE)
    assert "no worker has the hardware that the tag requires: the enclave of SCONE" in reason(pool, task)


def test_the_enclave_challenge_is_missing(pool: ScriptedPool) -> None:
    pool.connect(1, sgx=True)
    task = pool.ready(tag=SCONE)
    assert "secret management service" in reason(pool, task)


def test_a_task_that_ended_or_is_unknown_has_no_reason(pool: ScriptedPool) -> None:
    task = pool.ready()
    pool.mine(pool.log("CLAIMED", task))
    assert reason(pool, task) == ""
    assert reason(pool, TaskId("0xunknown")) == ""


@pytest.mark.parametrize("status", [TaskStatus.CONSENSUS_REACHED, TaskStatus.RESULT_UPLOADING])
def test_a_task_with_a_consensus_makes_progress(
    context: EventContext, add_task: Callable[..., Task], status: TaskStatus
) -> None:
    assert WaitingReasons(context.state, context.now).of(add_task(1, status)) is None
