"""Failures of last resort: a failing registry is contributed only when no other worker can try the task."""

from typing import Any

from workerpool_core.domain import decisions as d
from workerpool_poco.protocol.causes import ReplicateStatusCause
from workerpool_poco.protocol.statuses import ReplicateStatus

from services.core.tests.doubles.scripted_core import wallet
from services.core.tests.doubles.scripted_pool import HASH_A, TO_COMPUTED, ScriptedPool

R = ReplicateStatus
C = ReplicateStatusCause
LIMITED: dict[str, Any] = {"cause": C.APP_REGISTRY_UNAVAILABLE, "error_message": "toomanyrequests"}
TO_FAILED_PULL = (*TO_COMPUTED[:3], R.APP_DOWNLOAD_FAILED)


def test_a_registry_in_trouble_is_tried_by_every_worker_before_it_is_contributed(pool: ScriptedPool) -> None:
    pool.connect_all(1, 2, 3)
    task = pool.ready()
    for number in (1, 2):
        assert wallet(number) in pool.assigned(task)
        pool.report(number, task, *TO_FAILED_PULL, **LIMITED)
        assert not pool.sent(d.SendCommand, task_id=task)
    pool.report(3, task, *TO_FAILED_PULL, **LIMITED)
    assert len(pool.sent(d.SendCommand, task_id=task)) == 1
    for number in (1, 2, 3):
        assert pool.scheduler.workers[wallet(number)].worker.consecutive_failures == 0


def test_a_registry_in_trouble_confirms_no_failure_of_the_app(pool: ScriptedPool) -> None:
    pool.connect_all(1, 2, 3)
    task = pool.ready()
    pool.report(1, task, *TO_FAILED_PULL, **LIMITED)
    pool.report(2, task, *TO_COMPUTED, cause=C.APP_COMPUTE_FAILED, exit_code=3)
    assert not pool.sent(d.SendCommand, task_id=task)
    pool.compute(3, task)
    pool.report(3, task, R.CONTRIBUTING)
    pool.contribute(3, task, HASH_A, consensus=True)
    assert pool.task(task).error_cause is None


def test_above_trust_1_a_registry_in_trouble_waits_for_workers_that_may_succeed(pool: ScriptedPool) -> None:
    pool.connect_all(1, 2, 3)
    task = pool.ready(trust=3)
    failing, *others = [n for n in (1, 2, 3) if wallet(n) in pool.assigned(task)]
    pool.report(failing, task, *TO_FAILED_PULL, **LIMITED)
    assert not pool.sent(d.SendCommand, task_id=task)
    for number in {1, 2, 3} - {failing, *others}:
        assert wallet(number) in pool.assigned(task)
    for number in {1, 2, 3} - {failing}:
        pool.report(number, task, *TO_FAILED_PULL, **LIMITED)
    assert len(pool.sent(d.SendCommand, task_id=task)) == 3
