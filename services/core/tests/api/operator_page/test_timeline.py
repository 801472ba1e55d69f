"""The timeline of a task: everything that happened to it in the order of time."""

import pytest
from workerpool_core.api.operator_page.timeline import Entry, timeline_of
from workerpool_core.domain.explanations.tasks import explain_task
from workerpool_core.domain.model import Modifier, Receipt, Replicate, ReplicateChange, Task, TaskChange
from workerpool_core.simulation.deals import deal_terms
from workerpool_poco.protocol.ids import DealId, TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus as R
from workerpool_poco.protocol.statuses import ReplicateStatusCause as C
from workerpool_poco.protocol.statuses import TaskStatus as S

from services.core.tests.doubles.page_world import NOW, command, wallet

ID = TaskId("0x" + "ab" * 32)
W = wallet(1)


@pytest.fixture
def task() -> Task:
    """A task that a worker failed to start."""
    terms = deal_terms(DealId("0x" + "cd" * 32), start=NOW, execution_s=300, block=5)
    history = [
        TaskChange(S.RECEIVED, NOW, Receipt(5)),
        TaskChange(S.INITIALIZED, NOW + 4, Receipt(6, "0xini")),
    ]
    task = Task(ID, 0, terms, history)
    changes = [
        ReplicateChange(R.CREATED, NOW + 5, Modifier.POOL_MANAGER),
        ReplicateChange(
            R.START_FAILED, NOW + 6, Modifier.WORKER, C.APP_IMAGE_DOWNLOAD_FAILED, Receipt(7, "0xrec")
        ),
    ]
    task.replicates[W] = Replicate(ID, W, 2, changes)
    return task


def shown(task: Task, *, for_operator: bool = True, **options: object) -> list[Entry]:
    commands = [
        command(ID, 1, transaction="0xsent", block=6),
        command(
            ID, 2, kind="FINALIZE", state="FAILURE", reason="TASK_NOT_REVEALING", message="it is too late"
        ),
    ]
    return timeline_of(
        task,
        explain_task(task),
        commands if for_operator else [],
        {W: "one"},
        NOW + 60,
        for_operator=for_operator,
    )


def test_statuses_replicates_and_transactions_are_in_the_order_of_time(task: Task) -> None:
    assert [(entry.after, entry.subject, entry.what) for entry in shown(task)] == [
        ("+0 s", "task", "RECEIVED"),
        ("+1 s", "transaction", "INITIALIZE requested"),
        ("+2 s", "transaction", "INITIALIZE SUCCESS"),
        ("+2 s", "transaction", "FINALIZE requested"),
        ("+3 s", "transaction", "FINALIZE FAILURE"),
        ("+4 s", "task", "INITIALIZED"),
        ("+5 s", "worker", "CREATED"),
        ("+6 s", "worker", "START_FAILED"),
    ]


def test_a_failure_has_its_cause_sentence_side_and_next_step(task: Task) -> None:
    failed = shown(task)[-1]
    assert (failed.wallet, failed.name, failed.cause) == (W, "one", "APP_IMAGE_DOWNLOAD_FAILED")
    assert failed.reason is not None
    assert failed.reason.sentence == "The worker did not start the task: app image download failed."
    assert failed.reason.side == "app"
    assert failed.reason.next_step


def test_transactions_have_block_and_hash_and_refused_ones_a_reason(task: Task) -> None:
    by_what = {entry.what: entry for entry in shown(task)}
    assert (by_what["INITIALIZE SUCCESS"].block, by_what["INITIALIZE SUCCESS"].transaction) == (6, "0xsent")
    refused = by_what["FINALIZE FAILURE"].reason
    assert refused is not None
    assert (refused.sentence, refused.cause) == ("It is too late.", "TASK_NOT_REVEALING")


def test_strangers_see_the_receipts_that_the_documented_route_tells(task: Task) -> None:
    entries = shown(task, for_operator=False)
    assert [(entry.what, entry.block, entry.transaction) for entry in entries] == [
        ("RECEIVED", 0, ""),
        ("INITIALIZED", 6, "0xini"),
        ("CREATED", 0, ""),
        ("START_FAILED", 0, ""),
    ]
    assert (shown(task)[0].block, shown(task)[-1].transaction) == (5, "0xrec")
