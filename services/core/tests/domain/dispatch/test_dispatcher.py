"""Assignment of tasks to workers: acceptance scenarios 9-18 of core spec §13."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.dispatch.dispatcher import slots_of
from workerpool_core.domain.model import Worker, WorkerModel
from workerpool_core.domain.policy import Policy
from workerpool_poco.protocol.consensus import contributions_needed
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus as R
from workerpool_poco.protocol.statuses import ReplicateStatusCause as C

from services.core.tests.doubles.scripted_pool import ScriptedPool

SCONE, GRAMINE, TDX, GPU = ("0x" + f"{tag:064x}" for tag in (3, 5, 9, 0x100))
SCONE_GPU = "0x" + f"{0x103:064x}"
T = 300
HASH_A, HASH_B = "0x" + "aa" * 32, "0x" + "bb" * 32


def holders(pool: ScriptedPool, task: TaskId) -> list[int]:
    return [int(w.removeprefix("0xWorker")) for w in pool.assigned(task)]


def challenge(pool: ScriptedPool, task: TaskId) -> TaskId:
    pool.handle(e.EnclaveChallengeAnswered(task, "0xChallenge", "https://sms"))
    return task


def test_s09_no_work_for_a_worker_without_weight_or_slot_or_while_the_chain_is_down(
    pool: ScriptedPool,
) -> None:
    pool.connect(1, weight=0)
    first = pool.ready()
    assert holders(pool, first) == []
    pool.connect(2, slots=1)
    assert holders(pool, first) == [2]
    second = pool.ready()
    assert holders(pool, second) == []
    pool.handle(e.ChainHealthChanged(False))
    pool.connect(3)
    assert holders(pool, second) == []
    pool.handle(e.ChainHealthChanged(True))
    assert holders(pool, second) == [3]


def test_s10_a_worker_never_gets_a_task_twice_even_after_failing(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready()
    pool.report(1, task, R.STARTING, R.START_FAILED, cause=C.STAKE_TOO_LOW)
    pool.cut(1)
    pool.connect(1)
    assert holders(pool, task) == [1]
    pool.connect(2)
    assert holders(pool, task) == [1, 2]


def test_s11_a_task_with_trust_1_is_assigned_to_one_of_two_workers(pool: ScriptedPool) -> None:
    pool.connect(1)
    pool.connect(2)
    task = pool.ready()
    assert len(holders(pool, task)) == 1


def test_s12_running_first_then_earliest_deadline_and_never_past_it(pool: ScriptedPool) -> None:
    now = pool.now
    pool.connect(1, slots=1)
    running = pool.ready(trust=5, contribution_deadline=now + 2000)
    pool.report(1, running, R.STARTING, R.STARTED)
    late = pool.ready(contribution_deadline=now + 1900)
    early = pool.ready(contribution_deadline=now + 1000)
    dead = pool.ready(contribution_deadline=now + 10)
    pool.wait(20)
    pool.beat(1)
    for number, expected in ((2, running), (3, running), (4, early), (5, late)):
        pool.connect(number, slots=1)
        assert holders(pool, expected)[-1:] == [number]
    pool.connect(6, slots=1)
    assert holders(pool, dead) == []


@pytest.mark.parametrize(
    ("ability", "can", "cannot"),
    [
        ({}, [], [SCONE, GRAMINE, TDX, GPU, SCONE_GPU]),
        ({"sgx": True}, [SCONE, GRAMINE], [TDX, GPU, SCONE_GPU]),
        ({"tdx": True}, [TDX], [SCONE, GRAMINE, GPU, SCONE_GPU]),
        ({"gpus": 1}, [GPU], [SCONE, GRAMINE, TDX, SCONE_GPU]),
        ({"gpus": 1, "sgx": True}, [SCONE_GPU], [TDX]),
    ],
)
def test_s13_tasks_with_special_hardware_are_assigned_only_to_workers_that_have_it(
    pool: ScriptedPool, ability: Any, can: Any, cannot: Any
) -> None:
    pool.connect(1, **ability)
    for tag in cannot:
        task = pool.ready(tag=tag)
        challenge(pool, task)
        assert holders(pool, task) == []
    for tag in can:
        task = pool.ready(tag=tag)
        challenge(pool, task)
        assert holders(pool, task) == [1]


def test_s13_a_tag_with_an_unknown_enclave_nibble_is_standard(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready(tag="0x" + f"{0b0111:064x}")
    assert holders(pool, task) == [1]


def test_s14_trust_5_needs_3_workers_and_more_only_after_a_dissent(pool: ScriptedPool) -> None:
    for number in range(1, 8):
        pool.connect(number)
    task = pool.ready(trust=5)
    assert holders(pool, task) == [1, 2, 3]
    for number in (1, 2, 3):
        pool.compute(number, task)
    pool.contribute(1, task, HASH_A)
    assert len(holders(pool, task)) == 3
    pool.contribute(2, task, HASH_B)
    # Four must agree against one dissenter: one did, so three may be in progress.
    assert len(holders(pool, task)) == 5


def test_s15_a_replicate_that_is_pending_longer_than_the_category_time_no_longer_counts(
    pool: ScriptedPool,
) -> None:
    pool.connect(1)
    task = pool.ready()
    pool.report(1, task, R.STARTING, R.STARTED, R.APP_DOWNLOADING)
    pool.connect(2)
    for _ in range(T // 30 - 1):
        pool.wait(30)
        pool.beat(1)
        pool.beat(2)
    assert holders(pool, task) == [1]
    pool.wait(30)
    assert holders(pool, task) == [1, 2]


def test_s16_a_task_with_consensus_on_chain_is_not_assigned(pool: ScriptedPool) -> None:
    task = pool.to_consensus(1)
    pool.connect(2)
    assert holders(pool, task) == [1]


def test_s17_the_sms_is_known_for_enclave_tasks_only(pool: ScriptedPool) -> None:
    pool.connect(1, sgx=True)
    standard = pool.ready()
    enclave = challenge(pool, pool.ready(tag=SCONE))
    assert pool.task(standard).sms_url == ""
    assert pool.task(enclave).sms_url == "https://sms"


def test_s17_an_enclave_task_is_not_assigned_before_its_challenge(pool: ScriptedPool) -> None:
    pool.connect(1, sgx=True)
    task = pool.ready(tag=SCONE)
    assert holders(pool, task) == []
    challenge(pool, task)
    assert holders(pool, task) == [1]


def test_s18_a_worker_with_a_gpu_gets_one_task_at_a_time(pool: ScriptedPool) -> None:
    pool.connect(1, gpus=1, slots=8)
    first, second = pool.ready(), pool.ready()
    assert (holders(pool, first), holders(pool, second)) == ([1], [])
    pool.compute(1, first)
    assert holders(pool, second) == [1]


def test_memory_limits_the_slots(make_pool: Callable[..., ScriptedPool]) -> None:
    pool = make_pool(Policy(slot_memory_bytes=1 << 30))
    pool.connect(1, slots=8, memory_bytes=2 << 30)
    tasks = [pool.ready() for _ in range(4)]
    assert [holders(pool, task) for task in tasks] == [[1], [1], [], []]


def test_a_worker_with_16_slots_gets_16_tasks_at_once(pool: ScriptedPool) -> None:
    tasks = pool.deal(bot_size=20)
    pool.mine(*(pool.log("INITIALIZE", task) for task in tasks))
    pool.connect(1, slots=16)
    assert len(pool.sent(d.Assign)) == 16


def test_requesters_take_turns(pool: ScriptedPool) -> None:
    rich = pool.deal(bot_size=6, requester="0xRich")
    poor = pool.deal(bot_size=2, requester="0xPoor")
    pool.mine(*(pool.log("INITIALIZE", task) for task in (*rich, *poor)))
    pool.connect(1, slots=4)
    served = [effect.task_id for effect in pool.sent(d.Assign)]
    assert [task in rich for task in served] == [True, False, True, False]


def test_requesters_take_turns_among_tasks_that_become_ready_together(pool: ScriptedPool) -> None:
    pool.connect(1, slots=4)
    rich = pool.deal(bot_size=6, requester="0xRich")
    poor = pool.deal(bot_size=2, requester="0xPoor")
    pool.mine(*(pool.log("INITIALIZE", task) for task in (*rich, *poor)))
    served = [effect.task_id for effect in pool.sent(d.Assign)]
    assert sum(task in poor for task in served) == 2


def test_a_dead_replicate_is_replaced_at_once(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready()
    pool.connect(2)
    pool.report(1, task, R.STARTING, R.START_FAILED, cause=C.STAKE_TOO_LOW)
    assert holders(pool, task) == [1, 2]


@pytest.mark.parametrize("failure", [R.CONTRIBUTE_FAILED, R.ABORTED])
def test_an_aborted_or_failed_contribution_is_replaced_at_once(pool: ScriptedPool, failure: Any) -> None:
    pool.connect(1)
    task = pool.ready()
    pool.connect(2)
    pool.compute(1, task)
    pool.report(1, task, R.CONTRIBUTING, failure)
    assert holders(pool, task) == [1, 2]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(trust=st.integers(1, 64), workers=st.integers(1, 12))
def test_there_are_never_more_replicates_than_the_trust_requires(
    make_pool: Callable[..., ScriptedPool], trust: Any, workers: Any
) -> None:
    pool = make_pool()
    task = pool.ready(trust=trust)
    for number in range(workers):
        pool.connect(number)
    assert len(holders(pool, task)) == min(workers, contributions_needed(trust))


@pytest.mark.parametrize(
    ("slots", "gpus", "memory", "slot_memory", "expected"),
    [(4, 0, 8, 0, 4), (4, 1, 8, 0, 1), (4, 0, 8, 3, 2), (4, 0, 2, 3, 0), (2, 0, 8, 1, 2)],
)
def test_slots_are_limited_by_gpus_and_memory(
    slots: int, gpus: int, memory: int, slot_memory: int, expected: int
) -> None:
    model = WorkerModel("w", "1", "linux", "x86", slots, memory, gpus)
    assert slots_of(Worker("0xW", model, 0.0, 0.0), slot_memory) == expected
