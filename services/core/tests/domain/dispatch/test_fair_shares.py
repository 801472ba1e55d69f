"""Shares of requesters and deals: a bag of 1,000 beside single tasks of another requester."""

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st
from workerpool_core.domain.dispatch.fair_shares import FairShares
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus as R

from services.core.tests.doubles.scripted_pool import ScriptedPool

EXECUTION_S = 300
STARTED = (
    R.STARTING,
    R.STARTED,
    R.APP_DOWNLOADING,
    R.APP_DOWNLOADED,
    R.DATA_DOWNLOADING,
    R.DATA_DOWNLOADED,
    R.COMPUTING,
)


def test_competitors_get_equal_time_whatever_they_ask_for() -> None:
    shares = FairShares()
    costs = {"long": 100.0, "short": 1.0}
    served = dict.fromkeys(costs, 0.0)
    for _ in range(1_010):
        name = min(costs, key=shares.start)
        shares.charge(name, costs[name])
        served[name] += costs[name]
    assert abs(served["long"] - served["short"]) <= costs["long"]


def test_an_idle_competitor_saves_nothing_up() -> None:
    shares = FairShares()
    for _ in range(100):
        shares.charge("busy", 1.0)
    assert shares.start("idle") == shares.now
    shares.charge("idle", 1.0)
    assert shares.start("busy") <= shares.start("idle")


def test_finishes_in_the_past_are_forgotten() -> None:
    shares = FairShares()
    for number in range(10_000):
        shares.charge(f"requester {number}", 0.0)
    assert len(shares._finishes) <= 1_025


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0.1, 50.0)), max_size=200))
@settings(deadline=None)
def test_virtual_time_never_goes_back(charges: list[tuple[str, float]]) -> None:
    shares, before = FairShares(), 0.0
    for name, cost in charges:
        shares.charge(name, cost)
        assert shares.now >= before
        before = shares.now


def run_tasks(pool: ScriptedPool, seconds: int, running: dict[TaskId, float]) -> list[tuple[float, str, str]]:
    """Let two workers compute every task for 10 s; return when each task of a requester started."""
    started: list[tuple[float, str, str]] = []
    for _ in range(seconds):
        pool.wait(1)
        for number in (1, 2):
            pool.beat(number)
            for task_id, task in list(pool.scheduler.tasks.items()):
                replicate = task.replicates.get(f"0xWorker{number}")
                if replicate is None:
                    continue
                if task_id not in running:
                    running[task_id] = pool.now
                    pool.report(number, task_id, *STARTED)
                    started.append((pool.now, task.terms.requester, task_id))
                elif running[task_id] + 10 == pool.now:
                    pool.report(number, task_id, R.COMPUTED)
                    pool.mine(pool.log("FINALIZE", task_id, value="0x"))
        pool.mine(
            *(
                pool.log("INITIALIZE", task_id)
                for task_id, task in pool.scheduler.tasks.items()
                if task.status.value == "INITIALIZING"
            )
        )
    return started


def test_single_tasks_beside_a_bag_of_1000_wait_at_most_twice_their_quiet_time(
    make_pool: Callable[..., ScriptedPool],
) -> None:
    waits = {}
    for bag in (0, 1_000):
        pool = make_pool()
        pool.connect(1, slots=1)
        pool.connect(2, slots=1)
        running: dict[TaskId, float] = {}
        if bag:
            pool.deal(bot_size=bag, requester="0xBag", max_execution_s=EXECUTION_S)
            run_tasks(pool, 45, running)
        longest = 0.0
        for _ in range(5):
            bought_at = pool.now
            (single,) = pool.deal(requester="0xSingle", max_execution_s=EXECUTION_S)
            started = run_tasks(pool, 23, running)
            (began,) = [at for at, _, task_id in started if task_id == single]
            longest = max(longest, began + 10 - bought_at)
        waits[bag] = longest
    assert waits[1_000] <= 2 * waits[0]
