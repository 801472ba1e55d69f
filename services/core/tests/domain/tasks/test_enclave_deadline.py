"""An enclave challenge is requested until the contribution deadline."""

from workerpool_core.domain import decisions as d

from services.core.tests.doubles.scripted_pool import ScriptedPool

SCONE = "0x" + f"{3:064x}"
T = 300


def test_s07_a_task_without_a_challenge_fails_at_its_contribution_deadline(pool: ScriptedPool) -> None:
    task = pool.ready(tag=SCONE)
    pool.wait(7 * T - 20)
    assert pool.status(task) == "INITIALIZING"
    pool.effects.clear()
    pool.wait(40)
    assert pool.sent(d.ReadTask, task_id=task)
    pool.read(task, "ACTIVE")
    assert pool.history(task)[-2:] == ["INITIALIZE_FAILED", "FAILED"]
    pool.effects.clear()
    pool.wait(60)
    assert not pool.sent(d.AskEnclaveChallenge, task_id=task)
