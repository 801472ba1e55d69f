"""A challenge is asked for as long as it is of use."""

from workerpool_core.domain import decisions as d

SCONE = "0x" + f"{3:064x}"
T = 300


def test_s07_an_sms_that_never_answers_costs_the_task_at_its_contribution_deadline(pool):
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
