"""A worker is lost after a window of silence."""

from collections.abc import Callable

from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain import transitions
from workerpool_core.domain.decisions import CloseSession, WorkerSaved
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.events import HeartbeatsReceived
from workerpool_core.domain.live import LiveWorker
from workerpool_core.domain.model import Task
from workerpool_core.domain.policy import Policy
from workerpool_core.domain.timers import Timeout
from workerpool_core.domain.workers import liveness
from workerpool_poco.protocol.statuses import ReplicateStatus
from workerpool_poco.protocol.statuses import ReplicateStatus as R

from services.core.tests.doubles.scripted_pool import ScriptedPool


def test_only_heartbeats_of_the_present_session_count(
    context: EventContext, add_worker: Callable[..., LiveWorker]
) -> None:
    worker = add_worker()
    worker.worker.last_seen = 0.0
    liveness.heartbeats(context, HeartbeatsReceived((("0xW", "0xW/0"), ("0xUnknown", "0xUnknown/1"))))
    assert worker.worker.last_seen == 0.0
    liveness.heartbeats(context, HeartbeatsReceived((("0xW", "0xW/1"),)))
    assert worker.worker.last_seen == context.now


def test_a_worker_that_was_seen_is_checked_again_at_the_end_of_its_window(
    context: EventContext, add_worker: Callable[..., LiveWorker]
) -> None:
    worker = add_worker()
    context.now += 10
    liveness.check(context, "0xW")
    assert not worker.worker.lost
    assert context.state.timers.next() == worker.worker.last_seen + context.state.policy.liveness_s


def test_the_window_starts_no_earlier_than_the_process(
    context: EventContext, add_worker: Callable[..., LiveWorker]
) -> None:
    worker = add_worker()
    worker.worker.last_seen = 0.0
    context.state.started_at = context.now - 1
    liveness.check(context, "0xW")
    assert not worker.worker.lost
    assert context.state.timers.is_set(Timeout.LIVENESS, "0xW")


def test_a_silent_worker_is_lost_with_its_session_and_its_live_replicates(
    context: EventContext, add_task: Callable[..., Task], add_worker: Callable[..., LiveWorker]
) -> None:
    worker, task = add_worker(), add_task()
    replicate = transitions.create_replicate(context, task, "0xW", 2)
    context.now += context.state.policy.liveness_s
    liveness.check(context, "0xW")
    assert (worker.worker.lost, worker.session) == (True, None)
    assert replicate.status is ReplicateStatus.WORKER_LOST
    assert [effect.session for effect in context.effects if isinstance(effect, CloseSession)] == ["0xW/1"]
    assert any(isinstance(write, WorkerSaved) and write.worker.lost for write in context.writes)


def test_the_tasks_of_a_returned_worker_are_matched_again(
    context: EventContext, add_task: Callable[..., Task], add_worker: Callable[..., LiveWorker]
) -> None:
    worker, task = add_worker(), add_task()
    transitions.create_replicate(context, task, "0xW", 2)
    worker.worker.lost = True
    liveness.returned(context, worker)
    assert not worker.worker.lost
    assert task.task_id in context.tasks_to_match


def test_s42_a_silent_worker_is_lost_once_and_resumes_when_it_returns(pool: ScriptedPool) -> None:
    task = pool.to_started(1)
    pool.wait(59)
    assert pool.statuses(1, task)[-1] == "STARTED"
    pool.wait(2)
    assert pool.statuses(1, task)[-1] == "WORKER_LOST"
    assert pool.sent(d.CloseSession, wallet="0xWorker1", reason="HEARTBEAT_MISSED")
    pool.connect(1, held=(e.HeldReplicate(task, R.STARTED, False, 0),))
    assert pool.statuses(1, task)[-1] == "RECOVERING"
    pool.report(1, task, R.APP_DOWNLOADING)
    pool.wait(61)
    assert pool.statuses(1, task).count("WORKER_LOST") == 1


def test_a_worker_that_leaves_for_good_is_lost_at_once_and_replaced(pool: ScriptedPool) -> None:
    task = pool.to_started(1)
    pool.connect(2)
    pool.handle(e.WorkerLeft("0xWorker1", pool.sessions["0xWorker1"]))
    assert pool.statuses(1, task)[-1] == "WORKER_LOST"
    assert pool.sent(d.CloseSession, wallet="0xWorker1", reason="LEFT")
    assert pool.assigned(task) == ["0xWorker1", "0xWorker2"]


def test_a_worker_that_will_be_back_keeps_its_replicates_until_then(pool: ScriptedPool) -> None:
    task = pool.to_started(1)
    pool.connect(2)
    pool.handle(e.WorkerLeft("0xWorker1", pool.sessions["0xWorker1"], 240.0))
    pool.live(200, 2)
    assert pool.assigned(task) == ["0xWorker1"]
    assert "WORKER_LOST" not in pool.statuses(1, task)
    pool.connect(1, held=(e.HeldReplicate(task, R.STARTED, False, 0),))
    pool.report(1, task, R.APP_DOWNLOADING)
    assert "WORKER_LOST" not in pool.statuses(1, task)


def test_a_stranger_that_announces_a_long_absence_keeps_its_replicates_for_the_limit_only(
    make_pool: Callable[..., ScriptedPool],
) -> None:
    pool = make_pool(Policy(max_absence_s=100.0))
    task = pool.to_started(1)
    pool.connect(2)
    pool.handle(e.WorkerLeft("0xWorker1", pool.sessions["0xWorker1"], 86_400.0))
    pool.live(120, 2)
    assert pool.statuses(1, task)[-1] == "WORKER_LOST"
    assert pool.assigned(task) == ["0xWorker1", "0xWorker2"]


def test_a_worker_that_is_not_back_in_time_is_lost(pool: ScriptedPool) -> None:
    task = pool.to_started(1)
    pool.connect(2)
    pool.handle(e.WorkerLeft("0xWorker1", pool.sessions["0xWorker1"], 90.0))
    pool.live(80, 2)
    assert "WORKER_LOST" not in pool.statuses(1, task)
    pool.live(20, 2)
    assert pool.statuses(1, task)[-1] == "WORKER_LOST"


def test_the_farewell_of_an_older_session_has_no_effect(pool: ScriptedPool) -> None:
    task = pool.to_started(1)
    pool.handle(e.WorkerLeft("0xWorker1", "older"))
    assert "WORKER_LOST" not in pool.statuses(1, task)


def test_s42_a_disconnected_worker_is_not_lost(pool: ScriptedPool) -> None:
    task = pool.to_started(1)
    pool.cut(1)
    pool.connect(2)
    pool.wait(50)
    assert pool.assigned(task) == ["0xWorker1"]
    pool.connect(1, held=(e.HeldReplicate(task, R.STARTED, False, 0),))
    pool.report(1, task, R.APP_DOWNLOADING)
    assert "WORKER_LOST" not in pool.statuses(1, task)


def test_s42_a_lost_worker_is_replaced_and_dropped_when_it_returns_too_late(pool: ScriptedPool) -> None:
    task = pool.to_started(1)
    pool.cut(1)
    pool.wait(61)
    pool.connect(2)
    assert pool.assigned(task) == ["0xWorker1", "0xWorker2"]
    pool.connect(1, held=(e.HeldReplicate(task, R.STARTED, False, 0),))
    (welcome,) = [w for w in pool.last if isinstance(w, d.Welcome)]
    assert welcome.dropped == (task,)


def test_s42_worker_lost_is_not_recorded_for_ended_replicates_or_expired_tasks(pool: ScriptedPool) -> None:
    task = pool.to_computed(1)
    pool.wait(10 * 300)
    pool.read(task, "ACTIVE")
    before = pool.statuses(1, task)
    pool.wait(120)
    assert pool.statuses(1, task) == before


def test_a_worker_that_does_not_return_after_a_restart_of_core_is_lost(pool: ScriptedPool) -> None:
    task = pool.to_computed(1)
    pool.restart()
    pool.wait(59)
    assert pool.statuses(1, task)[-1] == "COMPUTED"
    pool.wait(2)
    assert pool.statuses(1, task)[-1] == "WORKER_LOST"
