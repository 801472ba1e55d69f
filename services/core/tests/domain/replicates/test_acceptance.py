"""Reports that do not follow from a replicate's history are refused."""

from typing import Any

import pytest
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.events import Details, Update
from workerpool_core.domain.model import Modifier
from workerpool_core.domain.replicates import acceptance
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus as R

from services.core.tests.doubles.scripted_pool import CALLBACK_DATA, ScriptedPool

LINK = '{"storage":"dropbox","location":"/result"}'
REFUSED, ACCEPTED = d.UpdateOutcome.REFUSED, d.UpdateOutcome.ACCEPTED


def reconnect(pool: ScriptedPool, number: int, task: TaskId, status: Any) -> None:
    """Reconnect a worker: almost any status may follow RECOVERING."""
    pool.cut(number)
    pool.connect(number, held=(e.HeldReplicate(task, status, True, 0),))
    assert pool.statuses(number, task)[-1] == "RECOVERING"


def test_a_second_upload_after_a_failed_one_is_accepted_without_a_proxy(pool: ScriptedPool) -> None:
    task = pool.to_upload(1, callback="0xCallback")
    pool.report(1, task, R.RESULT_UPLOADING, R.RESULT_UPLOAD_FAILED)
    pool.live(121, 1)
    assert pool.commands(1)[-1] == "UPLOAD"
    (answer,) = pool.report(1, task, R.RESULT_UPLOADED, callback_data=CALLBACK_DATA)
    assert answer.outcome is ACCEPTED
    last = pool.replicate(1, task).history[-1]
    assert (last.status, last.modifier) == (R.RESULT_UPLOADED, Modifier.POOL_MANAGER)
    assert pool.status(task) == "FINALIZING"


def test_a_recovered_replicate_cannot_return_to_an_earlier_status(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready()
    pool.report(1, task, R.STARTING, R.STARTED)
    reconnect(pool, 1, task, R.STARTED)
    pool.report(1, task, R.COMPUTED, R.CONTRIBUTING)
    pool.contribute(1, task, consensus=True)
    pool.wait(61)
    assert pool.statuses(1, task)[-1] == "WORKER_LOST"
    pool.connect(1, held=(e.HeldReplicate(task, R.CONTRIBUTED, True, 0),))
    (answer,) = pool.report(1, task, R.APP_DOWNLOADING)
    assert (answer.outcome, answer.reason) == (REFUSED, "BAD_WORKFLOW_TRANSITION")
    pool.reveal(1, task)
    assert pool.statuses(1, task)[-3:] == ["REVEALING", "REVEALED", "RESULT_UPLOAD_REQUESTED"]


def test_a_proof_of_an_earlier_status_is_not_recorded_after_a_later_one(pool: ScriptedPool) -> None:
    task = pool.to_computed(1)
    reconnect(pool, 1, task, R.COMPUTED)
    pool.report(1, task, R.REVEALING, R.ABORTED)
    pool.contribute(1, task, consensus=True)
    pool.reveal(1, task)
    assert pool.statuses(1, task)[-4:-1] == ["REVEALING", "ABORTED", "REVEALED"]


@pytest.mark.parametrize("deal", [{}, {"storage_provider": "dropbox"}, {"callback": "0xCallback"}])
@pytest.mark.parametrize("status", [R.RESULT_UPLOADING, R.RESULT_UPLOADED, R.RESULT_UPLOAD_FAILED])
def test_a_result_is_accepted_only_from_a_worker_that_revealed(
    pool: ScriptedPool, deal: Any, status: Any
) -> None:
    pool.connect_all(1, 2, 3)
    task = pool.ready(trust=5, **deal)
    for number in (1, 2, 3):
        pool.compute(number, task)
    reconnect(pool, 3, task, R.COMPUTED)
    (answer,) = pool.report(3, task, status, result_link=LINK, callback_data="0x01")
    assert (answer.outcome, answer.reason) == (REFUSED, "BAD_WORKFLOW_TRANSITION")
    assert pool.replicate(3, task).result_link == ""


def test_commands_have_different_sequences_across_a_restart_even_if_the_clock_went_back(
    pool: ScriptedPool,
) -> None:
    task = pool.to_consensus(1)
    (first,) = pool.sent(d.SendCommand)
    pool.cut(1)
    pool.now -= 3600
    pool.restart()
    pool.read(task, "ACTIVE", {})
    pool.read(task, "COMPLETED")
    assert pool.sent(d.SendCommand)[-1].command.sequence > first.command.sequence


@pytest.mark.parametrize(
    ("deal", "details", "accepted"),
    [
        ({}, {"result_link": "/result"}, True),
        ({}, {"callback_data": "0x01"}, False),
        ({"callback": "0xContract"}, {"callback_data": CALLBACK_DATA}, True),
        ({"callback": "0xContract"}, {"callback_data": "0x02"}, False),
        ({"callback": "0xContract"}, {"callback_data": "0x"}, False),
        ({"callback": "0xContract"}, {"result_link": "/result"}, False),
    ],
)
def test_a_result_needs_callback_data_for_a_callback_and_else_a_link(
    pool: ScriptedPool, deal: dict[str, object], details: dict[str, str], accepted: bool
) -> None:
    task = pool.task(pool.to_upload(1, **deal))
    update = Update(1, task.task_id, R.RESULT_UPLOADED, Details(**details))  # type: ignore[arg-type]
    assert acceptance.has_result(task, update) is accepted
