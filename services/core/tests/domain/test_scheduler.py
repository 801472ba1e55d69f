"""Standard tasks from the deal to the result."""

from workerpool_core.domain import decisions as d
from workerpool_core.domain.events import TransactionAnswered, TransactionKind
from workerpool_poco.protocol.statuses import ReplicateStatus as R

from services.core.tests.doubles.scripted_pool import ScriptedPool


def test_a_standard_task_completes(pool: ScriptedPool) -> None:
    pool.connect(1)
    (task,) = pool.deal()
    assert pool.status(task) == "INITIALIZING"
    assert pool.sent(d.RequestTransaction, kind=TransactionKind.INITIALIZE, task_id=task)

    pool.mine(pool.log("INITIALIZE", task))
    assert pool.status(task) == "INITIALIZED"
    assert pool.sent(d.Assign, wallet="0xWorker1", task_id=task)

    pool.compute(1, task)
    assert pool.status(task) == "RUNNING"
    pool.report(1, task, R.CONTRIBUTING)
    pool.contribute(1, task, consensus=True)
    assert pool.status(task) == "CONSENSUS_REACHED"
    (reveal,) = pool.sent(d.SendCommand)
    assert (reveal.command.action.value, reveal.command.block) == ("REVEAL", pool.block)

    pool.report(1, task, R.REVEALING)
    pool.reveal(1, task)
    assert pool.status(task) == "RESULT_UPLOADING"
    assert pool.commands(1) == ["REVEAL", "UPLOAD"]

    pool.upload(1, task)
    assert pool.status(task) == "FINALIZING"
    (finalize,) = pool.sent(d.RequestTransaction, kind=TransactionKind.FINALIZE)
    assert finalize.result_link

    pool.handle(TransactionAnswered(task, TransactionKind.FINALIZE, True, pool.block))
    assert pool.history(task) == [
        "RECEIVED",
        "INITIALIZING",
        "INITIALIZED",
        "RUNNING",
        "CONSENSUS_REACHED",
        "AT_LEAST_ONE_REVEALED",
        "RESULT_UPLOADING",
        "RESULT_UPLOADED",
        "FINALIZING",
        "FINALIZED",
        "COMPLETED",
    ]
    assert pool.commands(1) == ["REVEAL", "UPLOAD", "COMPLETE"]
    pool.report(1, task, R.COMPLETING, R.COMPLETED)
    assert pool.statuses(1, task)[-1] == "COMPLETED"


def test_an_ended_task_is_evicted_after_its_worker_reported_completed(pool: ScriptedPool) -> None:
    task = pool.to_finalizing(1)
    pool.mine(pool.log("FINALIZE", task, value="0x6162"))
    assert pool.status(task) == "COMPLETED"
    for _ in range(pool.policy.reorganisation_blocks):
        pool.mine()
    pool.wait(1)
    assert task in pool.scheduler.tasks
    pool.report(1, task, R.COMPLETING, R.COMPLETED)
    pool.wait(1)
    assert task not in pool.scheduler.tasks


def test_trust_5_with_three_agreeing_workers(pool: ScriptedPool) -> None:
    for number in range(1, 5):
        pool.connect(number)
    task = pool.ready(trust=5)
    assert len(pool.assigned(task)) == 3
    workers = [int(w[-1]) for w in pool.assigned(task)]
    for place, number in enumerate(workers, 1):
        pool.compute(number, task)
        pool.report(number, task, R.CONTRIBUTING)
        pool.contribute(number, task, consensus=place == 3)
    for number in workers:
        pool.report(number, task, R.REVEALING)
        pool.reveal(number, task)
    uploader = int(pool.task(task).uploader[-1])
    pool.upload(uploader, task)
    assert pool.status(task) == "FINALIZING"
    pool.mine(pool.log("FINALIZE", task, value="0x"))
    assert pool.status(task) == "COMPLETED"
