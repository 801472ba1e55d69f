"""The time limit for proofs of reports (core spec §2.5, acceptance scenarios 22 and 26)."""

from collections.abc import Callable
from typing import Any

import pytest
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.policy import Policy, proof_timeout
from workerpool_core.domain.replicates import pending_reports
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus as R

from services.core.tests.doubles.scripted_pool import ScriptedPool

HASH_A = "0x" + "aa" * 32
REFUSED, ACCEPTED = d.UpdateOutcome.REFUSED, d.UpdateOutcome.ACCEPTED


def with_reported_contribution(pool: ScriptedPool) -> TaskId:
    """Return a task whose worker reported a contribution that is not on chain."""
    pool.connect(1)
    task = pool.ready()
    pool.compute(1, task)
    pool.report(1, task, R.CONTRIBUTING)
    assert pool.report(1, task, R.CONTRIBUTED) == []
    return task


def answers(pool: ScriptedPool) -> list[d.UpdateOutcome]:
    return [effect.outcome for effect in pool.last if isinstance(effect, d.AnswerUpdate)]


@pytest.mark.parametrize(("block_time_s", "limit_s"), [(0.1, 10), (1, 18), (5, 90), (20, 360)])
def test_s22_the_limit_is_three_tries_of_six_blocks(block_time_s: Any, limit_s: Any) -> None:
    assert proof_timeout(block_time_s) == limit_s


def test_s22_the_first_read_after_the_limit_refuses_the_report(
    make_pool: Callable[..., ScriptedPool],
) -> None:
    pool = make_pool(Policy(proof_timeout_s=18))
    task = with_reported_contribution(pool)
    pool.wait(17)
    pool.read(task, "ACTIVE", {1: ("UNSET", HASH_A)})
    assert answers(pool) == []
    pool.wait(1)
    pool.read(task, "ACTIVE", {1: ("UNSET", HASH_A)})
    assert answers(pool) == [REFUSED]


def test_s22_a_report_stays_pending_while_the_chain_cannot_be_read(
    make_pool: Callable[..., ScriptedPool],
) -> None:
    pool = make_pool(Policy(proof_timeout_s=18))
    task = with_reported_contribution(pool)
    for _ in range(12):
        pool.wait(10)
        pool.beat(1)
    assert not pool.sent(d.AnswerUpdate, outcome=REFUSED)
    pool.read(task, "ACTIVE", {1: ("CONTRIBUTED", HASH_A)})
    assert answers(pool) == [ACCEPTED]


def test_s22_a_read_requested_before_the_limit_does_not_refuse_the_report(
    make_pool: Callable[..., ScriptedPool],
) -> None:
    pool = make_pool(Policy(proof_timeout_s=18))
    task = with_reported_contribution(pool)
    asked = pool.now
    pool.wait(30)
    pool.answer_reads(e.TaskRead(task, pool.block, pool.chain_task(task), {}, asked))
    assert answers(pool) == []


def test_s26_a_result_for_a_callback_needs_data(pool: ScriptedPool) -> None:
    task = pool.to_upload(1, callback="0xCallback")
    pool.report(1, task, R.RESULT_UPLOADING)
    (answer,) = pool.report(1, task, R.RESULT_UPLOADED, result_link='{"storage":"ethereum"}')
    assert (answer.outcome, answer.reason) == (REFUSED, "GENERIC_CANT_UPDATE")
    assert pool.status(task) == "RESULT_UPLOADING"
    (answer,) = pool.report(1, task, R.RESULT_UPLOADED, callback_data="0x01")
    assert answer.outcome is ACCEPTED


def test_pending_reports_are_limited_and_have_no_logs(pool: ScriptedPool) -> None:
    task = with_reported_contribution(pool)
    for _ in range(100):
        pool.report(1, task, R.COMPUTED, stdout="x" * 100_000, stderr="x" * 100_000)
    waiting = pool.scheduler._state.tasks[task].pending_reports["0xWorker1"].updates
    assert [update.status for update in waiting] == [R.CONTRIBUTED, *[R.COMPUTED] * 15]
    assert not any(update.details.stdout or update.details.stderr for update in waiting)
    assert answers(pool) == [REFUSED]


def test_a_pending_update_is_stored_without_logs() -> None:
    update = e.Update(1, TaskId("0x1"), R.CONTRIBUTED, e.Details(stdout="out", stderr="err", exit_code=3))
    assert pending_reports.without_logs(update).details == e.Details(exit_code=3)
