"""A scripted core handles events, keeps their effects and lets time pass timer by timer."""

from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.model import WorkerModel

from services.core.tests.doubles.scripted_core import ScriptedCore, wallet

MODEL = WorkerModel("w1", "1", "linux", "x86", slots=1, memory_bytes=1 << 33)
HELLO = e.WorkerConnected(wallet(1), "1-1", MODEL)


def test_effects_are_kept_and_found_by_their_attributes() -> None:
    core = ScriptedCore()
    effects = core.handle(HELLO)
    assert core.last == core.effects == effects
    assert core.sent(d.Welcome, wallet=wallet(1)) == [d.Welcome(wallet(1), "1-1")]
    assert core.sent(d.Welcome, wallet=wallet(2)) == []
    assert core.commands(1) == []


def test_timers_fire_at_their_times_while_time_passes() -> None:
    core = ScriptedCore()
    core.handle(HELLO)
    start = core.now
    core.wait(core.policy.liveness_s - 1)
    assert not core.scheduler.workers[wallet(1)].worker.lost
    core.wait(1)
    assert core.scheduler.workers[wallet(1)].worker.lost
    assert core.now == start + core.policy.liveness_s


def test_a_restart_keeps_what_was_stored() -> None:
    core = ScriptedCore()
    core.handle(HELLO)
    core.restart()
    assert list(core.scheduler.workers) == [wallet(1)]
    assert core.scheduler.workers[wallet(1)].session is None
