"""How long a report that only chain or proxy can prove may wait (core spec §2.5, acceptance scenarios 22 and 26)."""

import pytest
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.policy import Policy, proof_timeout
from workerpool_poco.protocol.statuses import ReplicateStatus as R

HASH_A = "0x" + "aa" * 32
REFUSED, ACCEPTED = d.UpdateOutcome.REFUSED, d.UpdateOutcome.ACCEPTED


def claimed(pool) -> str:
    """A worker says that he contributed."""
    pool.connect(1)
    task = pool.ready()
    pool.compute(1, task)
    pool.report(1, task, R.CONTRIBUTING)
    assert pool.report(1, task, R.CONTRIBUTED) == []
    return task


def answers(pool) -> list[d.UpdateOutcome]:
    return [effect.outcome for effect in pool.last if isinstance(effect, d.AnswerUpdate)]


@pytest.mark.parametrize(("block_time_s", "limit_s"), [(0.1, 10), (1, 18), (5, 90), (20, 360)])
def test_s22_the_limit_is_three_tries_of_six_blocks(block_time_s, limit_s):
    assert proof_timeout(block_time_s) == limit_s


def test_s22_the_first_look_at_the_chain_after_the_limit_refuses(make_pool):
    pool = make_pool(Policy(proof_timeout_s=18))
    task = claimed(pool)
    pool.wait(17)
    pool.read(task, "ACTIVE", {1: ("UNSET", HASH_A)})
    assert answers(pool) == []
    pool.wait(1)
    pool.read(task, "ACTIVE", {1: ("UNSET", HASH_A)})
    assert answers(pool) == [REFUSED]


def test_s22_while_the_chain_cannot_be_read_no_report_is_called_untrue(make_pool):
    pool = make_pool(Policy(proof_timeout_s=18))
    task = claimed(pool)
    for _ in range(12):
        pool.wait(10)
        pool.beat(1)
    assert not pool.sent(d.AnswerUpdate, outcome=REFUSED)
    pool.read(task, "ACTIVE", {1: ("CONTRIBUTED", HASH_A)})
    assert answers(pool) == [ACCEPTED]


def test_s22_a_read_that_was_asked_before_the_limit_does_not_refuse(make_pool):
    pool = make_pool(Policy(proof_timeout_s=18))
    task = claimed(pool)
    asked = pool.now
    pool.wait(30)
    pool.handle(e.TaskRead(task, pool.block, pool.chain_task(task), {}, asked))
    assert answers(pool) == []


def test_s26_a_callback_wants_its_data_whatever_link_is_given(pool):
    task = pool.to_upload(1, callback="0xCallback")
    pool.report(1, task, R.RESULT_UPLOADING)
    (answer,) = pool.report(1, task, R.RESULT_UPLOADED, result_link='{"storage":"ethereum"}')
    assert (answer.outcome, answer.reason) == (REFUSED, "GENERIC_CANT_UPDATE")
    assert pool.status(task) == "RESULT_UPLOADING"
    (answer,) = pool.report(1, task, R.RESULT_UPLOADED, callback_data="0x01")
    assert answer.outcome is ACCEPTED


def test_s26_storage_of_the_requesters_own_wants_its_link_whatever_data_is_given(pool):
    task = pool.to_upload(1, storage_provider="dropbox")
    pool.report(1, task, R.RESULT_UPLOADING)
    (answer,) = pool.report(1, task, R.RESULT_UPLOADED, callback_data="0x01")
    assert answer.outcome is REFUSED


def test_what_waits_fills_no_memory(pool):
    task = claimed(pool)
    for _ in range(100):
        pool.report(1, task, R.COMPUTED, stdout="x" * 100_000, stderr="x" * 100_000)
    waiting = pool.scheduler._state.tasks[task].pending_reports["0xWorker1"].updates
    assert [update.status for update in waiting] == [R.CONTRIBUTED, *[R.COMPUTED] * 15]
    assert not any(update.details.stdout or update.details.stderr for update in waiting)
    assert answers(pool) == [REFUSED]
