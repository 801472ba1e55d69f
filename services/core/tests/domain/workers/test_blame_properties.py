"""No sequence of deals and failures takes an honest worker out of service, and no bad worker holds a task long."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.blame import BLAME, is_error_result
from workerpool_core.domain.model import Action
from workerpool_poco.protocol.causes import ReplicateStatusCause, Side
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus

from services.core.tests.doubles.scripted_core import wallet
from services.core.tests.doubles.scripted_pool import HASH_A, TO_COMPUTED, ScriptedPool

R = ReplicateStatus
C = ReplicateStatusCause
WORKERS = (1, 2, 3)
PATHS: dict[ReplicateStatus, tuple[ReplicateStatus, ...]] = {
    R.START_FAILED: (*TO_COMPUTED[:1], R.START_FAILED),
    R.APP_DOWNLOAD_FAILED: (*TO_COMPUTED[:3], R.APP_DOWNLOAD_FAILED),
    R.DATA_DOWNLOAD_FAILED: (*TO_COMPUTED[:5], R.DATA_DOWNLOAD_FAILED),
    R.COMPUTE_FAILED: (*TO_COMPUTED[:7], R.COMPUTE_FAILED),
    R.COMPUTED: TO_COMPUTED,
    R.CONTRIBUTE_FAILED: (*TO_COMPUTED, R.CONTRIBUTING, R.CONTRIBUTE_FAILED),
}
# What an honest worker can be made to report by deals, the chain and the pool.
HONEST_CAUSES = st.sampled_from([c for c in C if BLAME[c].side is not Side.WORKER])
LACKING = st.sampled_from([C.STAKE_TOO_LOW, C.TEE_NOT_SUPPORTED])
FAILURES = st.tuples(st.sampled_from(list(PATHS)), HONEST_CAUSES | LACKING, st.integers(0, 3))
DEALS = st.lists(st.tuples(FAILURES, st.sampled_from([1, 1, 1, 3])), min_size=1, max_size=12)
LIES = st.sampled_from(["broken", "silent", "unstarted", "error", "idle", "invented"])
_SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@_SETTINGS
@given(DEALS)
def test_no_sequence_of_deals_takes_an_honest_worker_out_of_service(
    deals: list[tuple[tuple[ReplicateStatus, C, int], int]],
) -> None:
    pool = ScriptedPool()
    pool.connect_all(*WORKERS, slots=64)
    for (status, cause, code), trust in deals:
        task = pool.ready(trust=trust)
        for _ in range(8):
            while _report(pool, task, *PATHS[status], cause=cause, exit_code=code):
                _contribute(pool, task)
            pool.live(pool.policy.failure_pause_s / 2, *WORKERS)
    for number in WORKERS:
        worker = pool.scheduler.workers[wallet(number)].worker
        assert (worker.consecutive_failures, worker.quarantined_until) == (0, 0.0)


def _report(pool: ScriptedPool, task: TaskId, *path: ReplicateStatus, **details: Any) -> bool:
    """Let each worker that was just assigned the task report; return whether there was one."""
    assigned = [n for n in WORKERS if wallet(n) in pool.assigned(task) and len(pool.statuses(n, task)) == 1]
    for number in assigned:
        pool.report(number, task, *path, **details)
    return bool(assigned)


def _contribute(pool: ScriptedPool, task: TaskId) -> None:
    """Let each worker contribute that was commanded to."""
    for command in pool.sent(d.SendCommand, task_id=task, action=Action.CONTRIBUTE):
        number = int(command.command.wallet.removeprefix("0xWorker"))
        if not pool.replicate(number, task).contribution_hash:
            pool.report(number, task, R.CONTRIBUTING)
            pool.contribute(number, task, HASH_A, consensus=pool.task(task).terms.trust == 1)


@_SETTINGS
@given(st.lists(LIES, min_size=1, max_size=6))
def test_a_bad_worker_costs_each_task_at_most_one_short_attempt(lies: list[str]) -> None:
    """Worker 1 is bad and gets every task first; worker 2 is honest. Each task is with worker 2 soon."""
    pool = ScriptedPool()
    pool.connect(1, slots=64)
    pool.connect(2, slots=64)
    for lie in lies:
        pool.handle(e.WorkerDrained(wallet(2), pool.now + 1))
        task = pool.ready()
        if pool.assigned(task) != [wallet(1)]:
            continue
        _lie(pool, task, lie)
        pool.live(2, 1, 2)
        longest = max(pool.policy.progress_timeout_s, pool.policy.proof_timeout_s)
        pool.live(longest, 1, 2)
        assert wallet(2) in pool.assigned(task)
        pool.compute(2, task)
        pool.report(2, task, R.CONTRIBUTING)
        pool.contribute(2, task, HASH_A, consensus=True)
        assert pool.ledger.tasks[task].error_cause is None
    assert pool.scheduler.workers[wallet(2)].worker.consecutive_failures == 0


def _lie(pool: ScriptedPool, name: TaskId, lie: str) -> None:
    """Let worker 1 misbehave on a task."""
    if lie == "broken":
        pool.report(1, name, R.STARTING, R.START_FAILED, cause=C.HOST_FAILED)
    elif lie == "silent":
        pool.report(1, name, R.STARTING, R.STARTED)
    elif lie == "error":
        pool.report(1, name, *TO_COMPUTED, cause=C.APP_COMPUTE_FAILED, exit_code=1)
    elif lie in ("idle", "invented"):
        pool.compute(1, name)
        if lie == "invented":
            pool.report(1, name, R.CONTRIBUTING, R.CONTRIBUTED)


def test_the_causes_of_the_property_cover_every_side_but_the_workers() -> None:
    sides = {BLAME[cause].side for cause in C if not is_error_result(cause)}
    assert sides == {Side.REQUESTER, Side.APP, Side.WORKER, Side.POOL, Side.CHAIN}
