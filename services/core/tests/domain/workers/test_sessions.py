"""Sessions of workers, and their weights, which are read again whenever a score on chain may have changed."""

from collections.abc import Callable

from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.live import LiveWorker, WorkerSession
from workerpool_core.domain.policy import Policy
from workerpool_core.domain.workers import sessions
from workerpool_poco.protocol.statuses import ReplicateStatus

from services.core.tests.doubles.scripted_pool import ScriptedPool

HASH_A, HASH_B = "0x" + "aa" * 32, "0x" + "bb" * 32


def weights_read(pool: ScriptedPool) -> list[str]:
    """Return the wallets whose weights the last event read."""
    return sorted(effect.wallet for effect in pool.last if isinstance(effect, d.ReadWeight))


def test_a_reconciliation_reads_the_weights_of_connected_workers_with_tasks_or_without_gas(
    pool: ScriptedPool,
) -> None:
    pool.connect(1)
    assert pool.assigned(pool.ready()) == ["0xWorker1"]
    pool.connect(2)
    pool.connect(3, weight=0)
    pool.connect(4, weight=0)
    pool.cut(4)
    pool.handle(e.ReconcileDue())
    assert weights_read(pool) == ["0xWorker1", "0xWorker3"]


def test_a_completed_task_changes_the_scores_of_its_contributors(pool: ScriptedPool) -> None:
    task = pool.to_finalizing(1, 2, trust=3)
    pool.mine(pool.log("FINALIZE", task))
    assert pool.status(task) == "COMPLETED"
    assert weights_read(pool) == ["0xWorker1", "0xWorker2"]


def test_the_score_of_a_single_contributor_does_not_change(pool: ScriptedPool) -> None:
    task = pool.to_finalizing(1)
    pool.mine(pool.log("FINALIZE", task))
    assert weights_read(pool) == []


def test_a_reopening_lowers_the_scores_of_the_winners(pool: ScriptedPool) -> None:
    task = pool.to_consensus(1, 2, trust=3)
    pool.mine(pool.log("REOPEN", task))
    assert weights_read(pool) == ["0xWorker1", "0xWorker2"]


def test_a_claim_lowers_the_scores_of_all_contributors(pool: ScriptedPool) -> None:
    task = pool.to_consensus(1, 2, trust=3)
    pool.mine(pool.log("CLAIMED", task))
    assert pool.history(task)[-1] == "FAILED"
    assert weights_read(pool) == ["0xWorker1", "0xWorker2"]


def test_s09_a_worker_that_cannot_pay_for_gas_gets_no_work_until_it_can(pool: ScriptedPool) -> None:
    pool.connect(1, weight=0)
    task = pool.ready()
    assert pool.assigned(task) == []
    pool.handle(e.WeightsRead((("0xWorker1", 2),)))
    assert pool.assigned(task) == ["0xWorker1"]
    pool.handle(e.WeightsRead((("0xWorker1", 0),)))
    assert pool.assigned(pool.ready()) == []


def test_the_weight_of_an_unknown_worker_is_ignored(context: EventContext) -> None:
    sessions.weights_read(context, e.WeightsRead((("0xUnknown", 2),)))
    assert (context.state.workers, context.workers_to_match) == ({}, {})


def test_only_the_present_session_can_be_closed_by_its_stream(
    context: EventContext, add_worker: Callable[..., LiveWorker]
) -> None:
    worker = add_worker()
    sessions.disconnected(context, e.WorkerDisconnected("0xW", "0xW/0"))
    assert worker.session is not None
    sessions.disconnected(context, e.WorkerDisconnected("0xW", "0xW/1"))
    assert worker.session is None


def test_a_second_stream_replaces_the_first(pool: ScriptedPool) -> None:
    pool.connect(1)
    pool.connect(1)
    assert pool.sent(d.CloseSession, session="1-1", reason="REPLACED")
    pool.handle(e.WorkerDisconnected("0xWorker1", "1-1"))
    assert pool.scheduler.workers["0xWorker1"].session == WorkerSession("1-2", opened_at=pool.now)


def test_a_worker_of_another_version_is_refused(make_pool: Callable[..., ScriptedPool]) -> None:
    pool = make_pool(Policy(required_worker_version="2"))
    pool.connect(1)
    assert pool.sent(d.CloseSession, reason="BAD_VERSION")
    assert "0xWorker1" not in pool.scheduler.workers


def test_trap_a_task_occupies_one_slot_and_a_lost_worker_is_known_without_a_heartbeat(
    pool: ScriptedPool,
) -> None:
    pool.connect(1)
    task = pool.ready()
    pool.cut(1)
    pool.connect(1)
    pool.connect(1)
    assert pool.scheduler.workers["0xWorker1"].computing == {task}
    pool.restart()
    pool.wait(61)
    assert pool.scheduler.workers["0xWorker1"].worker.lost


# --- whitelist ------------------------------------------------------------------------------------


def test_a_worker_off_the_whitelist_keeps_its_replicate_and_gets_nothing_new(pool: ScriptedPool) -> None:
    pool.connect(1)
    held = pool.ready()
    pool.handle(e.WhitelistChanged(frozenset({"0xWorker2"})))
    assert pool.sent(d.SendDrain, wallet="0xWorker1")
    later = pool.ready()
    assert pool.assigned(later) == []
    assert "whitelist" in str(pool.scheduler.explain(pool.now).waiting(later))
    (answer, *_) = pool.report(1, held, ReplicateStatus.STARTING)
    assert answer.outcome is d.UpdateOutcome.ACCEPTED
    pool.connect(2)
    assert pool.assigned(later) == ["0xWorker2"]


def test_a_worker_that_the_whitelist_admits_again_gets_work_at_once(pool: ScriptedPool) -> None:
    pool.handle(e.WhitelistChanged(frozenset({"0xWorker2"})))
    pool.connect(1)
    task = pool.ready()
    assert pool.assigned(task) == []
    assert pool.sent(d.SendDrain, wallet="0xWorker1")
    pool.handle(e.WhitelistChanged(frozenset()))
    assert pool.assigned(task) == ["0xWorker1"]
