"""A database that was thrown back lacks replicates whose contributions the chain has: they are added and go on."""

from collections.abc import Callable

import pytest
from workerpool_core.domain import decisions as d
from workerpool_core.domain.chain import unknown_contributors
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.events import TaskRead
from workerpool_core.domain.model import Command, Task
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus as R

from services.core.tests.doubles.scripted_core import wallet
from services.core.tests.doubles.scripted_pool import HASH_A, HASH_B, ScriptedPool


def forgotten(pool: ScriptedPool, **terms: object) -> TaskId:
    """Return a task of which core knows no replicate; its worker is connected, and busy with another deal."""
    pool.connect(1, slots=1)
    pool.ready()
    return pool.ready(**terms)


def test_a_consensus_without_a_known_winner_leads_to_the_end(pool: ScriptedPool) -> None:
    task = forgotten(pool)
    pool.contribute(1, task, consensus=True)
    assert pool.sent(d.ReadTask, task_id=task)
    pool.read(task, "REVEALING", {1: ("CONTRIBUTED", HASH_A)}, winners=1, value=HASH_A)
    assert pool.status(task) == "CONSENSUS_REACHED"
    assert pool.commands(1) == ["REVEAL"]
    assert not pool.sent(d.Assign, task_id=task), "its worker has the result"
    pool.reveal(1, task)
    assert pool.commands(1) == ["REVEAL", "UPLOAD"]
    pool.upload(1, task)
    assert pool.status(task) == "FINALIZING"


@pytest.mark.parametrize(
    ("contribution", "expected"),
    [("CONTRIBUTED", ["REVEAL"]), ("PROVED", ["UPLOAD"])],
    ids=["contributed", "revealed"],
)
def test_a_task_that_was_never_created_here_is_read_first(
    pool: ScriptedPool, contribution: str, expected: list[str]
) -> None:
    pool.connect(1)
    (task,) = pool.deal()
    reveals = int(contribution == "PROVED")
    pool.read(task, "REVEALING", {1: (contribution, HASH_A)}, winners=1, reveals=reveals, value=HASH_A)
    assert pool.commands(1) == expected
    assert not pool.sent(d.Assign, task_id=task)


def test_a_worker_that_never_came_back_counts_as_a_winner(pool: ScriptedPool) -> None:
    pool.connect(1)
    (task,) = pool.deal(trust=3)
    both = {1: ("PROVED", HASH_A), 7: ("CONTRIBUTED", HASH_A)}
    pool.read(task, "REVEALING", both, winners=2, reveals=1, value=HASH_A)
    assert pool.status(task) == "RESULT_UPLOADING"
    assert pool.task(task).winner_count == 2
    assert pool.ledger.workers[wallet(7)].lost


def test_a_worker_that_comes_back_with_its_replicate_reveals(pool: ScriptedPool) -> None:
    (task,) = pool.deal()
    pool.read(task, "REVEALING", {7: ("CONTRIBUTED", HASH_A)}, winners=1, value=HASH_A)
    assert pool.statuses(7, task)[-1] == "CONTRIBUTED"
    (command,) = pool.ledger.commands.values()
    assert isinstance(command, Command)
    assert (command.wallet, command.action.value) == (wallet(7), "REVEAL")


def test_a_contribution_that_lost_is_never_asked_again(pool: ScriptedPool) -> None:
    pool.connect(1)
    (task,) = pool.deal()
    pool.read(task, "ACTIVE", {1: ("REJECTED", HASH_B)})
    assert pool.statuses(1, task) == ["CREATED", "ABORTED"]
    pool.connect(2)
    assert pool.assigned(task) == [wallet(1), wallet(2)]
    assert not pool.sent(d.Assign, wallet=wallet(1))


def test_an_assignment_that_crossed_the_news_goes_on(pool: ScriptedPool) -> None:
    """Dispatch may be faster than the blocks: the worker reports what it did again."""
    pool.connect(1)
    task = pool.ready()
    assert pool.sent(d.Assign, task_id=task)
    pool.contribute(1, task, consensus=True)
    answers = pool.report(1, task, R.STARTING, R.STARTED)
    assert {answer.outcome for answer in answers} == {d.UpdateOutcome.ALREADY_KNOWN}
    assert pool.commands(1) == ["REVEAL"]


def test_a_contributor_gets_the_weight_that_the_hub_counted(
    context: EventContext, add_task: Callable[..., Task]
) -> None:
    task = add_task()
    contributions = {"0xNew": ScriptedPool.contribution("CONTRIBUTED", HASH_A)}
    for _ in range(2):
        unknown_contributors.add(context, task, TaskRead(task.task_id, 7, None, contributions))
    assert task.replicates["0xNew"].weight == 2**1
    assert context.state.workers["0xNew"].worker.lost
    assert len([write for write in context.writes if isinstance(write, d.ReplicateCreated)]) == 1
