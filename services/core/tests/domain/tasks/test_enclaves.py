"""Enclave tasks: the SMS first, then the initialization, then the challenge (core spec §1.2, §5.2)."""

from typing import Any

import pytest
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_poco.protocol.ids import ZERO_ADDRESS, TaskId
from workerpool_poco.protocol.statuses import ReplicateStatusCause as C

from services.core.tests.doubles.scripted_pool import SCONE, SMS, TDX, ScriptedPool, T

NO_SMS = "no SMS serves TDX in the default stack of the platform registry"
DOWN = "the SMS for TDX at https://sms does not answer (UNAVAILABLE)"
INITIALIZE = e.TransactionKind.INITIALIZE


def asked(pool: ScriptedPool, task: TaskId) -> int:
    return len(pool.sent(d.FindSms, task_id=task))


def initializations(pool: ScriptedPool, task: TaskId) -> int:
    return len(pool.sent(d.RequestTransaction, kind=INITIALIZE, task_id=task))


def reason(pool: ScriptedPool, task: TaskId) -> str:
    found = pool.scheduler.explain(pool.now).waiting(task)
    return found.sentences if found is not None else ""


def test_the_sms_is_found_before_the_initialization_is_requested(pool: ScriptedPool) -> None:
    (task,) = pool.deal(tag=TDX)
    assert (pool.status(task), asked(pool, task), initializations(pool, task)) == ("RECEIVED", 1, 0)
    pool.handle(e.SmsFound(task, SMS))
    assert (pool.status(task), initializations(pool, task)) == ("INITIALIZING", 1)
    assert pool.ledger.tasks[task].sms_url == SMS
    pool.handle(e.TransactionAnswered(task, INITIALIZE, True, pool.block))
    assert pool.sent(d.RequestEnclaveChallenge, task_id=task)


def test_a_standard_task_needs_no_sms(pool: ScriptedPool) -> None:
    (task,) = pool.deal()
    assert (asked(pool, task), initializations(pool, task)) == (0, 1)


def test_a_task_that_no_sms_serves_ends_with_the_reason_and_costs_no_transaction(pool: ScriptedPool) -> None:
    (task,) = pool.deal(tag=TDX)
    pool.handle(e.SmsRefused(task, C.UNKNOWN_SMS, NO_SMS))
    assert pool.history(task) == ["RECEIVED", "INITIALIZE_FAILED", "FAILED"]
    stored = pool.ledger.tasks[task]
    assert (stored.error_cause, stored.error_message) == (C.UNKNOWN_SMS, NO_SMS)
    assert stored.claim_due
    pool.wait(60)
    assert initializations(pool, task) == 0


def test_an_sms_that_does_not_answer_is_asked_again_and_that_is_said(pool: ScriptedPool) -> None:
    (task,) = pool.deal(tag=TDX)
    assert "have not answered yet" in reason(pool, task)
    told = pool.handle(e.SmsUnreachable(task, DOWN))
    assert d.NotifyWatchers(task) in told
    assert reason(pool, task) == f"T{DOWN[1:]}. Core retries every few seconds."
    pool.wait(pool.policy.retry_s)
    assert asked(pool, task) == 2
    pool.handle(e.SmsFound(task, SMS))
    assert "does not answer" not in reason(pool, task)


def test_an_unanswered_request_is_repeated_once_per_timeout(pool: ScriptedPool) -> None:
    (task,) = pool.deal(tag=TDX)
    pool.mine()
    pool.handle(e.ReconcileDue())
    assert asked(pool, task) == 1
    pool.wait(pool.policy.read_timeout_s)
    assert asked(pool, task) == 2


def test_without_an_sms_until_the_contribution_deadline_the_task_ends(pool: ScriptedPool) -> None:
    (task,) = pool.deal(tag=TDX)
    pool.handle(e.SmsUnreachable(task, DOWN))
    pool.wait(7 * T + pool.policy.read_timeout_s)
    assert pool.history(task)[-2:] == ["INITIALIZE_FAILED", "FAILED"]
    stored = pool.ledger.tasks[task]
    assert stored.error_cause is C.GET_TEE_SERVICES_CONFIGURATION_FAILED
    assert stored.error_message == f"no SMS answered until the contribution deadline: {DOWN}"


def test_a_task_that_a_third_party_initialized_waits_for_its_sms_too(pool: ScriptedPool) -> None:
    (task,) = pool.deal(tag=TDX)
    pool.mine(pool.log("INITIALIZE", task))
    assert (pool.status(task), pool.task(task).initialization_block) == ("RECEIVED", pool.block)
    assert not pool.sent(d.RequestEnclaveChallenge, task_id=task)
    pool.handle(e.SmsFound(task, SMS))
    assert pool.sent(d.RequestEnclaveChallenge, task_id=task)
    assert initializations(pool, task) == 0


def test_a_removed_initialization_is_not_requested_before_the_sms_is_found(pool: ScriptedPool) -> None:
    (task,) = pool.deal(tag=TDX)
    pool.mine(pool.log("INITIALIZE", task))
    pool.revert(1)
    pool.read(task, None)
    assert (pool.task(task).initialization_block, initializations(pool, task)) == (0, 0)
    pool.handle(e.SmsFound(task, SMS))
    assert initializations(pool, task) == 1


def test_a_restart_repeats_the_request(pool: ScriptedPool) -> None:
    (task,) = pool.deal(tag=TDX)
    pool.effects.clear()
    pool.restart()
    assert asked(pool, task) == 1


@pytest.mark.parametrize(
    "answer",
    [
        lambda task: e.SmsRefused(task, C.TEE_PREPARATION_FAILED, "the SMS refused"),
        lambda task: e.EnclaveChallengeAnswered(task, "", SMS),
        lambda task: e.EnclaveChallengeAnswered(task, ZERO_ADDRESS, SMS),
    ],
)
def test_s07_without_a_challenge_an_enclave_task_fails(pool: ScriptedPool, answer: Any) -> None:
    task = pool.ready(tag=SCONE)
    pool.handle(answer(task))
    pool.read(task)
    assert pool.history(task)[-2:] == ["INITIALIZE_FAILED", "FAILED"]
    stored = pool.ledger.tasks[task]
    assert stored.error_cause is C.TEE_PREPARATION_FAILED
    assert "SMS" in stored.error_message


def test_a_challenge_after_a_refusal_that_a_reorganisation_removed_counts(pool: ScriptedPool) -> None:
    pool.connect(1, sgx=True)
    task = pool.ready(tag=SCONE)
    pool.handle(e.SmsRefused(task, C.TEE_PREPARATION_FAILED, "the SMS refused"))
    pool.read(task, None)
    pool.mine(pool.log("INITIALIZE", task))
    pool.handle(e.EnclaveChallengeAnswered(task, "0xChallenge", SMS))
    assert (pool.status(task), pool.task(task).error_cause) == ("INITIALIZED", None)
    assert pool.assigned(task)


def test_late_answers_change_nothing(pool: ScriptedPool) -> None:
    task = pool.ready(tag=SCONE)
    before = pool.history(task)
    pool.handle(e.SmsFound(task, "https://other"))
    assert (pool.history(task), pool.task(task).sms_url) == (before, SMS)
    for late in (
        e.SmsFound(TaskId("0xunknown"), SMS),
        e.SmsRefused(TaskId("0xunknown"), C.UNKNOWN_SMS, NO_SMS),
        e.SmsUnreachable(TaskId("0xunknown"), DOWN),
    ):
        assert pool.handle(late) == []


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
    assert not pool.sent(d.RequestEnclaveChallenge, task_id=task)
