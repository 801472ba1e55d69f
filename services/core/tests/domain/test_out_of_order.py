"""Workers that report what does not follow from what they did: it is refused, and never stops the scheduler."""

import pytest
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.model import Modifier
from workerpool_poco.protocol.statuses import ReplicateStatus as R

LINK = '{"storage":"dropbox","location":"/result"}'
REFUSED, ACCEPTED = d.UpdateOutcome.REFUSED, d.UpdateOutcome.ACCEPTED


def back_again(pool, number, task, status):
    """A worker's stream is cut, and he says Hello again: almost any status may follow RECOVERING."""
    pool.cut(number)
    pool.connect(number, held=(e.HeldReplicate(task, status, True, 0),))
    assert pool.statuses(number, task)[-1] == "RECOVERING"


def test_a_second_upload_after_a_failed_one_is_taken_although_no_proxy_can_prove_it(pool):
    task = pool.to_upload(1, storage_provider="dropbox")
    pool.report(1, task, R.RESULT_UPLOADING, R.RESULT_UPLOAD_FAILED)
    pool.live(121, 1)
    assert pool.commands(1)[-1] == "UPLOAD"
    (answer,) = pool.report(1, task, R.RESULT_UPLOADED, result_link=LINK)
    assert answer.outcome is ACCEPTED
    last = pool.replicate(1, task).history[-1]
    assert (last.status, last.modifier) == (R.RESULT_UPLOADED, Modifier.POOL_MANAGER)
    assert pool.status(task) == "FINALIZING"


def test_a_worker_that_is_back_cannot_go_back_behind_what_it_did(pool):
    pool.connect(1)
    task = pool.ready()
    pool.report(1, task, R.STARTING, R.STARTED)
    back_again(pool, 1, task, R.STARTED)
    pool.report(1, task, R.COMPUTED, R.CONTRIBUTING)
    pool.contribute(1, task, consensus=True)
    pool.wait(61)
    assert pool.statuses(1, task)[-1] == "WORKER_LOST"
    pool.connect(1, held=(e.HeldReplicate(task, R.CONTRIBUTED, True, 0),))
    (answer,) = pool.report(1, task, R.APP_DOWNLOADING)
    assert (answer.outcome, answer.reason) == (REFUSED, "BAD_WORKFLOW_TRANSITION")
    pool.reveal(1, task)
    assert pool.statuses(1, task)[-3:] == ["REVEALING", "REVEALED", "RESULT_UPLOAD_REQUESTED"]


def test_a_proof_of_what_a_worker_jumped_over_is_not_recorded_behind_it(pool):
    task = pool.to_computed(1)
    back_again(pool, 1, task, R.COMPUTED)
    pool.report(1, task, R.REVEALING, R.ABORTED)
    pool.contribute(1, task, consensus=True)
    pool.reveal(1, task)
    assert pool.statuses(1, task)[-4:-1] == ["REVEALING", "ABORTED", "REVEALED"]


@pytest.mark.parametrize("deal", [{}, {"storage_provider": "dropbox"}, {"callback": "0xCallback"}])
@pytest.mark.parametrize("status", [R.RESULT_UPLOADING, R.RESULT_UPLOADED, R.RESULT_UPLOAD_FAILED])
def test_the_result_is_taken_only_from_who_revealed(pool, deal, status):
    pool.connect_all(1, 2, 3)
    task = pool.ready(trust=5, **deal)
    for number in (1, 2, 3):
        pool.compute(number, task)
    back_again(pool, 3, task, R.COMPUTED)
    (answer,) = pool.report(3, task, status, result_link=LINK, callback_data="0x01")
    assert (answer.outcome, answer.reason) == (REFUSED, "BAD_WORKFLOW_TRANSITION")
    assert pool.replicate(3, task).result_link == ""


def test_commands_never_share_a_sequence_over_a_restart_however_the_clock_was_set(pool):
    task = pool.to_consensus(1)
    (first,) = pool.sent(d.SendCommand)
    pool.cut(1)
    pool.now -= 3600
    pool.restart()
    pool.read(task, "ACTIVE", {})
    pool.read(task, "COMPLETED")
    assert pool.sent(d.SendCommand)[-1].command.sequence > first.command.sequence
