"""The decision on error results: contributed, dropped, or seen by another worker first."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.model import Task
from workerpool_core.domain.policy import Policy
from workerpool_core.domain.replicates import error_results
from workerpool_core.domain.replicates.error_results import is_settled
from workerpool_core.domain.replicates.failures import Failure
from workerpool_poco.protocol.causes import ReplicateStatusCause
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus

from services.core.tests.doubles.scripted_core import wallet
from services.core.tests.doubles.scripted_pool import HASH_A, HASH_B, SCONE, TO_COMPUTED, ScriptedPool, T

R = ReplicateStatus
C = ReplicateStatusCause
MakePool = Callable[..., ScriptedPool]
OFF = Policy(error_results=False)
EXIT_3: dict[str, Any] = {
    "cause": C.APP_COMPUTE_FAILED,
    "exit_code": 3,
    "error_message": "The app exited with 3.",
}
EXIT_4: dict[str, Any] = EXIT_3 | {"exit_code": 4}
EXIT_5: dict[str, Any] = EXIT_3 | {"exit_code": 5}
TOO_SMALL: dict[str, Any] = {"cause": C.APP_OUT_OF_MEMORY, "error_message": "out of memory, limit 512 MiB"}


def fail(pool: ScriptedPool, number: int, task: TaskId, **details: Any) -> None:
    """Report every status up to COMPUTED with an error result."""
    pool.report(number, task, *TO_COMPUTED, **(details or EXIT_3))


def held(pool: ScriptedPool, task: TaskId, number: int) -> tuple[e.HeldReplicate, ...]:
    return (e.HeldReplicate(task, pool.replicate(number, task).status, True, 0),)


# --- the rule -----------------------------------------------------------------------------------

A, B = (Failure(R.COMPUTED, C.APP_COMPUTE_FAILED, code) for code in (1, 2))
LAST = Failure(R.APP_DOWNLOAD_FAILED, C.APP_REGISTRY_UNAVAILABLE, None)
OTHER = Failure(R.APP_DOWNLOAD_FAILED, C.APP_IMAGE_DOWNLOAD_FAILED, None)


@pytest.mark.parametrize(
    ("failures", "trust", "another", "settled"),
    [
        ([A], 1, True, False),
        ([A], 0, True, False),
        ([A], 1, False, True),
        ([A], 2, True, True),
        ([A, A], 1, True, True),
        ([A, B], 1, True, False),
        ([A, OTHER], 1, True, False),
        ([A, B, A], 1, True, True),
        ([A, B, OTHER], 1, True, True),
        ([LAST, LAST, LAST], 1, True, False),
        ([LAST, LAST, A], 1, True, False),
        ([LAST, A, A], 1, True, True),
        ([LAST], 3, True, False),
        ([LAST], 1, False, True),
        ([LAST], 3, False, True),
    ],
)
def test_two_equal_failures_or_any_three_settle_it(
    failures: list[Failure], trust: int, another: bool, settled: bool
) -> None:
    assert is_settled(failures, trust, another_may_try=another) is settled


@pytest.mark.parametrize(("left_s", "check_in_s"), [(43, 13), (40, 10), (33, 3), (25, 15), (12, 2), (9, 15)])
def test_app_output_without_end_no_decision_misses_the_moment_before_the_deadline(
    context: EventContext, left_s: float, check_in_s: float
) -> None:
    """A worker that still computes is awaited until half a category time before the deadline, and not longer."""
    terms = SimpleNamespace(contribution_deadline=context.now + left_s, max_execution_s=20)
    error_results._check_later(context, cast(Task, SimpleNamespace(task_id="0x1", terms=terms)))
    assert context.state.timers.next() == context.now + check_in_s


# --- trust 1 ------------------------------------------------------------------------------------


def test_app_exit_3_the_first_worker_waits_without_a_slot_and_the_second_contributes(
    pool: ScriptedPool,
) -> None:
    pool.connect(1, slots=1)
    pool.connect(2, slots=1)
    task = pool.ready()
    fail(pool, 1, task)
    assert pool.commands(1) == []
    assert pool.assigned(task) == [wallet(1), wallet(2)]
    assert pool.assigned(pool.ready()) == [wallet(1)]
    fail(pool, 2, task)
    assert pool.commands(2) == ["CONTRIBUTE"]
    pool.report(2, task, R.CONTRIBUTING)
    pool.contribute(2, task, HASH_B, consensus=True)
    assert pool.commands(1) == ["ABORT"]
    stored = pool.ledger.tasks[task]
    assert (stored.error_cause, stored.error_message) == (C.APP_COMPUTE_FAILED, "The app exited with 3.")


def test_app_exit_3_no_number_of_such_deals_quarantines_a_worker(pool: ScriptedPool) -> None:
    pool.connect_all(1, 2)
    for _ in range(5):
        task = pool.ready()
        first, second = (1, 2) if pool.assigned(task) == [wallet(1)] else (2, 1)
        fail(pool, first, task)
        fail(pool, second, task)
        pool.report(second, task, R.CONTRIBUTING)
        pool.contribute(second, task, HASH_B, consensus=True)
    for number in (1, 2):
        worker = pool.scheduler.workers[wallet(number)].worker
        assert (worker.consecutive_failures, worker.quarantined_until) == (0, 0.0)


def test_without_another_worker_the_failure_is_contributed_at_once(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready()
    fail(pool, 1, task)
    assert pool.commands(1) == ["CONTRIBUTE"]
    assert pool.sent(d.SendCommand)[-1].resume


@pytest.mark.parametrize("status", [R.APP_DOWNLOAD_FAILED, R.DATA_DOWNLOAD_FAILED])
def test_failed_downloads_are_decided_alike(pool: ScriptedPool, status: ReplicateStatus) -> None:
    pool.connect_all(1, 2)
    task = pool.ready()
    cause = C.APP_IMAGE_DOWNLOAD_FAILED if status is R.APP_DOWNLOAD_FAILED else C.INPUT_FILES_DOWNLOAD_FAILED
    path = TO_COMPUTED[: 3 if status is R.APP_DOWNLOAD_FAILED else 5]
    for number in (1, 2):
        pool.report(number, task, *path, status, cause=cause)
    assert (pool.commands(1), pool.commands(2)) == ([], ["CONTRIBUTE"])


def test_a_success_after_a_failure_is_contributed_as_a_success(pool: ScriptedPool) -> None:
    pool.connect_all(1, 2, 3)
    task = pool.ready()
    fail(pool, 1, task)
    pool.compute(2, task)
    assert pool.assigned(task) == [wallet(1), wallet(2)]
    pool.report(2, task, R.CONTRIBUTING)
    pool.contribute(2, task, HASH_A, consensus=True)
    assert pool.commands(1) == ["ABORT"]
    assert pool.ledger.tasks[task].error_cause is None


def test_a_third_failure_is_contributed_although_all_differ(pool: ScriptedPool) -> None:
    pool.connect_all(1, 2, 3, 4)
    task = pool.ready()
    fail(pool, 1, task, **EXIT_3)
    fail(pool, 2, task, **EXIT_4)
    assert (pool.commands(1), pool.commands(2)) == ([], [])
    fail(pool, 3, task, **EXIT_5)
    assert (pool.commands(1), pool.commands(2), pool.commands(3)) == ([], [], ["CONTRIBUTE"])


def test_two_differing_failures_without_a_third_worker_are_settled(pool: ScriptedPool) -> None:
    pool.connect_all(1, 2)
    task = pool.ready()
    fail(pool, 1, task, **EXIT_3)
    fail(pool, 2, task, **EXIT_4)
    assert (pool.commands(1), pool.commands(2)) == ([], ["CONTRIBUTE"])


# --- the second worker goes away ----------------------------------------------------------------


def test_a_second_worker_that_is_lost_leaves_the_first_to_contribute(pool: ScriptedPool) -> None:
    pool.connect_all(1, 2)
    task = pool.ready()
    fail(pool, 1, task)
    pool.report(2, task, R.STARTING)
    pool.live(T / 2, 1)
    assert pool.commands(1) == ["CONTRIBUTE"]


def test_a_second_worker_that_is_silent_leaves_the_first_to_contribute(pool: ScriptedPool) -> None:
    pool.connect_all(1, 2)
    task = pool.ready()
    fail(pool, 1, task)
    pool.report(2, task, R.STARTING)
    pool.live(pool.policy.progress_timeout_s + 1, 1, 2)
    assert pool.commands(1) == ["CONTRIBUTE"]
    assert pool.scheduler.workers[wallet(2)].worker.consecutive_failures == 1
    assert pool.scheduler.workers[wallet(1)].worker.consecutive_failures == 0


def test_an_idle_worker_that_goes_away_is_not_awaited(pool: ScriptedPool) -> None:
    pool.connect(1)
    pool.connect(2, slots=1)
    busy = pool.ready()
    assert pool.assigned(busy) == [wallet(1)]
    other = pool.ready()
    assert pool.assigned(other) == [wallet(2)]
    fail(pool, 1, busy)
    assert pool.assigned(busy) == [wallet(1)]
    pool.live(100, 1)
    assert pool.commands(1) == ["CONTRIBUTE"]


@pytest.mark.parametrize("category_s", [T, 3 * T])
def test_a_busy_worker_is_awaited_for_one_category_time_and_at_most_five_minutes(
    pool: ScriptedPool, category_s: int
) -> None:
    pool.connect(1)
    pool.connect(2, slots=1)
    busy = pool.ready(max_execution_s=category_s)
    other = pool.ready(max_execution_s=category_s)
    pool.report(2, other, *TO_COMPUTED[:-1])
    fail(pool, 1, busy)
    pool.live(T - 20, 1, 2)
    assert pool.commands(1) == []
    pool.live(40, 1, 2)
    assert pool.commands(1) == ["CONTRIBUTE"]


def test_a_second_worker_with_a_broken_host_is_replaced_by_a_third(pool: ScriptedPool) -> None:
    pool.connect_all(1, 2, 3)
    task = pool.ready()
    fail(pool, 1, task)
    pool.report(2, task, R.STARTING, R.START_FAILED, cause=C.HOST_FAILED)
    assert pool.assigned(task) == [wallet(1), wallet(2), wallet(3)]
    fail(pool, 3, task)
    assert pool.commands(3) == ["CONTRIBUTE"]


def test_a_chosen_worker_that_is_lost_is_replaced_by_the_one_that_waits(pool: ScriptedPool) -> None:
    pool.connect_all(1, 2)
    task = pool.ready()
    fail(pool, 1, task)
    fail(pool, 2, task)
    pool.live(100, 1)
    assert pool.commands(1) == ["CONTRIBUTE"]


# --- out of memory ------------------------------------------------------------------------------


def test_app_memory_is_tried_again_only_on_a_larger_slot(pool: ScriptedPool) -> None:
    pool.connect(1, slots=1, slot_memory_bytes=512 << 20)
    task = pool.ready()
    pool.connect(2, slots=1, slot_memory_bytes=512 << 20)
    pool.connect(3, slots=1, slot_memory_bytes=1 << 30)
    fail(pool, 1, task, **TOO_SMALL)
    assert pool.assigned(task) == [wallet(1), wallet(3)]
    assert pool.replicate(1, task).history[-1].message == "out of memory, limit 512 MiB"


def test_app_memory_without_a_larger_slot_is_contributed_at_once(pool: ScriptedPool) -> None:
    pool.connect_all(1, 2)
    task = pool.ready()
    fail(pool, 1, task, **TOO_SMALL)
    assert pool.assigned(task) == [wallet(1)]
    assert pool.commands(1) == ["CONTRIBUTE"]


# --- trust, enclaves and the setting ------------------------------------------------------------


def test_above_trust_1_each_failure_is_contributed_at_once(pool: ScriptedPool) -> None:
    pool.connect_all(1, 2, 3)
    task = pool.ready(trust=3)
    fail(pool, 1, task)
    assert (pool.commands(1), pool.assigned(task)) == (["CONTRIBUTE"], [wallet(1), wallet(2)])


def test_an_enclave_task_ends_early_because_its_failure_cannot_be_contributed(pool: ScriptedPool) -> None:
    pool.connect(1, sgx=True)
    task = pool.ready(tag=SCONE)
    pool.handle(e.EnclaveChallengeAnswered(task, "0x" + "cc" * 20, "https://sms"))
    fail(pool, 1, task)
    assert pool.commands(1) == ["ABORT"]
    pool.read(task)
    assert pool.history(task)[-2:] == ["RUNNING_FAILED", "FAILED"]


def test_with_the_setting_off_a_confirmed_failure_is_claimed(make_pool: MakePool) -> None:
    pool = make_pool(OFF)
    pool.connect_all(1, 2, 3)
    task = pool.ready()
    fail(pool, 1, task)
    assert pool.commands(1) == ["ABORT"]
    assert pool.sent(d.SendCommand)[-1].command.cause is C.ERROR_RESULTS_DISABLED
    fail(pool, 2, task)
    assert (pool.commands(2), pool.assigned(task)) == (["ABORT"], [wallet(1), wallet(2)])
    pool.read(task)
    assert pool.status(task) == "FAILED"
    stored = pool.ledger.tasks[task]
    assert (stored.claim_due, stored.error_cause) == (True, C.APP_COMPUTE_FAILED)


# --- restarts -----------------------------------------------------------------------------------


def test_an_undecided_error_result_survives_restarts_of_both_sides(pool: ScriptedPool) -> None:
    pool.connect_all(1, 2)
    task = pool.ready()
    fail(pool, 1, task)
    pool.restart()
    pool.connect(1, held=held(pool, task, 1))
    assert pool.commands(1) == []
    pool.connect(2, held=(e.HeldReplicate(task, R.CREATED, False, 0),))
    pool.connect(1, held=held(pool, task, 1))
    assert pool.commands(1) == []
    fail(pool, 2, task)
    assert pool.commands(2) == ["CONTRIBUTE"]


def test_a_decision_is_repeated_to_a_worker_that_comes_back(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready()
    fail(pool, 1, task)
    pool.acknowledge(1)
    pool.connect(1, held=held(pool, task, 1))
    assert pool.commands(1) == ["CONTRIBUTE", "CONTRIBUTE"]


def test_a_result_whose_report_is_on_the_way_is_not_contributed_blindly(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready()
    pool.report(1, task, *TO_COMPUTED[:-1])
    pool.connect(1, held=(e.HeldReplicate(task, R.COMPUTED, True, 0),))
    assert pool.commands(1) == []


# --- what a worker may not report ---------------------------------------------------------------


def test_a_broken_host_is_never_an_error_result(pool: ScriptedPool) -> None:
    pool.connect_all(1, 2)
    task = pool.ready()
    (*_, answer) = pool.report(1, task, *TO_COMPUTED, cause=C.HOST_FAILED)
    assert answer.action.value == "ABORT"
    assert pool.assigned(task) == [wallet(1), wallet(2)]
    assert pool.scheduler.workers[wallet(1)].worker.consecutive_failures == 1


def test_app_memory_any_worker_may_try_once_the_first_does_not_contribute(pool: ScriptedPool) -> None:
    pool.connect_all(1, 2)
    task = pool.ready()
    fail(pool, 1, task, **TOO_SMALL)
    assert pool.commands(1) == ["CONTRIBUTE"]
    pool.live(pool.policy.proof_timeout_s + 1, 1, 2)
    assert pool.assigned(task) == [wallet(1), wallet(2)]
    fail(pool, 2, task, **TOO_SMALL)
    assert pool.commands(2) == ["CONTRIBUTE"]


def test_after_a_start_a_failure_waits_for_workers_that_may_still_connect(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready()
    pool.report(1, task, *TO_COMPUTED[:-1])
    pool.connect(2)
    pool.restart()
    pool.connect(1, held=(e.HeldReplicate(task, R.COMPUTING, False, 0),))
    pool.report(1, task, R.COMPUTED, **EXIT_3)
    assert pool.commands(1) == []
    pool.live(pool.policy.liveness_s + pool.policy.read_timeout_s, 1)
    assert pool.commands(1) == ["CONTRIBUTE"]


def test_with_the_setting_off_a_task_ends_when_the_last_other_worker_goes_away(make_pool: MakePool) -> None:
    pool = make_pool(OFF)
    pool.connect_all(1, 2)
    task = pool.ready()
    fail(pool, 1, task)
    pool.report(2, task, R.STARTING)
    pool.live(pool.policy.liveness_s + 2 * pool.policy.read_timeout_s, 1)
    pool.read(task)
    assert pool.history(task)[-2:] == ["RUNNING_FAILED", "FAILED"]


def test_a_silent_second_worker_does_not_keep_a_third_from_trying(pool: ScriptedPool) -> None:
    pool.connect_all(1, 2)
    task = pool.ready()
    fail(pool, 1, task)
    pool.report(2, task, *TO_COMPUTED[:3])
    pool.connect(3)
    pool.live(T, 1, 2, 3)
    assert pool.assigned(task) == [wallet(1), wallet(2), wallet(3)]
    assert pool.commands(1) == []
    fail(pool, 3, task)
    assert pool.commands(3) == ["CONTRIBUTE"]
