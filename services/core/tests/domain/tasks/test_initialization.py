"""The way from a deal to an ACTIVE task: acceptance scenarios 1-3 and 6-8 of core spec §13."""

from dataclasses import replace
from typing import Any

import pytest
from workerpool_core.domain import decisions as d
from workerpool_core.domain.events import (
    DealSeen,
    EnclaveChallengeAnswered,
    TransactionAnswered,
    TransactionKind,
)
from workerpool_core.domain.tasks.bags import is_executable
from workerpool_poco.protocol.ids import ZERO_ADDRESS, task_id_of

from services.core.tests.doubles.scripted_pool import ScriptedPool

SCONE = "0x" + f"{3:064x}"
INITIALIZE = TransactionKind.INITIALIZE


def test_s01_a_bag_of_3_from_index_5_becomes_tasks_5_6_7_and_replay_adds_nothing(pool: ScriptedPool) -> None:
    terms = pool.terms(bot_first=5, bot_size=3)
    pool.mine(deals=(DealSeen(terms),))
    assert set(pool.ledger.tasks) == {task_id_of(terms.deal_id, index) for index in (5, 6, 7)}
    assert [t.history[0].status.value for t in pool.ledger.tasks.values()] == ["RECEIVED"] * 3
    pool.last.clear()
    assert not [e for e in pool.mine(deals=(DealSeen(terms),)) if isinstance(e, d.RequestTransaction)]
    assert len(pool.ledger.tasks) == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"contribution_deadline": 0.0},
        {"tag": SCONE, "trust": 2},
        {"bot_size": 0},
    ],
)
def test_s02_expired_deals_enclave_deals_with_trust_2_and_empty_bags_are_skipped(
    pool: ScriptedPool, changes: Any
) -> None:
    pool.mine(deals=(DealSeen(pool.terms(**changes)),))
    assert not pool.ledger.tasks
    assert pool.ledger.cursor[0] == pool.block


def test_s03_an_old_deal_before_its_deadline_becomes_tasks(pool: ScriptedPool) -> None:
    pool.deal()
    late = replace(pool.terms(), block=2)
    pool.mine(deals=(DealSeen(late),))
    assert len(pool.ledger.tasks) == 2


def test_s06_a_standard_task_is_initialized_with_the_zero_challenge_and_no_replicates(
    pool: ScriptedPool,
) -> None:
    task = pool.ready()
    assert pool.history(task) == ["RECEIVED", "INITIALIZING", "INITIALIZED"]
    assert pool.task(task).enclave_challenge == ZERO_ADDRESS
    assert pool.task(task).initialization_block == pool.block
    assert pool.task(task).replicates == {}


def test_s07_an_enclave_task_gets_its_challenge_and_sms_from_the_answer(pool: ScriptedPool) -> None:
    task = pool.ready(tag=SCONE)
    assert pool.status(task) == "INITIALIZING"
    assert pool.sent(d.RequestEnclaveChallenge, task_id=task)
    pool.handle(EnclaveChallengeAnswered(task, "0xChallenge", "https://sms"))
    assert pool.status(task) == "INITIALIZED"
    assert (pool.task(task).enclave_challenge, pool.task(task).sms_url) == ("0xChallenge", "https://sms")


def test_s07_an_unanswered_challenge_is_requested_again(pool: ScriptedPool) -> None:
    task = pool.ready(tag=SCONE)
    pool.wait(60)
    assert len(pool.sent(d.RequestEnclaveChallenge, task_id=task)) > 1


def test_s08_a_refused_initialization_fails_the_task_once_the_chain_agrees(pool: ScriptedPool) -> None:
    (task,) = pool.deal()
    pool.handle(TransactionAnswered(task, INITIALIZE, False, reason="reverted"))
    assert pool.status(task) == "INITIALIZING"
    pool.read(task, None)
    pool.wait(2)
    assert len(pool.sent(d.RequestTransaction, task_id=task)) == 2
    pool.handle(TransactionAnswered(task, INITIALIZE, False, reason="reverted"))
    pool.read(task, None)
    assert pool.history(task)[-2:] == ["INITIALIZE_FAILED", "FAILED"]


def test_s08_an_unanswered_initialization_is_requested_again(pool: ScriptedPool) -> None:
    (task,) = pool.deal()
    pool.handle(TransactionAnswered(task, INITIALIZE, None))
    assert pool.status(task) == "INITIALIZING"
    pool.wait(10)
    assert len(pool.sent(d.RequestTransaction, task_id=task)) == 2
    pool.handle(TransactionAnswered(task, INITIALIZE, True, 12))
    assert pool.status(task) == "INITIALIZED"


def test_trap_an_initialization_by_a_third_party_counts(pool: ScriptedPool) -> None:
    (task,) = pool.deal()
    pool.handle(TransactionAnswered(task, INITIALIZE, False, reason="already initialized"))
    pool.read(task, "ACTIVE")
    assert pool.status(task) == "INITIALIZED"


def test_trap_the_initialization_block_is_never_looked_up_in_a_cached_head(pool: ScriptedPool) -> None:
    (task,) = pool.deal()
    pool.handle(TransactionAnswered(task, INITIALIZE, True, pool.block + 5))
    assert pool.task(task).initialization_block == pool.block + 5


def test_an_answer_without_a_block_leads_to_a_read(pool: ScriptedPool) -> None:
    (task,) = pool.deal()
    pool.handle(TransactionAnswered(task, INITIALIZE, True, 0))
    assert pool.status(task) == "INITIALIZING"
    pool.read(task, "ACTIVE")
    assert pool.task(task).initialization_block == pool.block


def test_a_replayed_deal_does_not_create_an_ended_task_again(pool: ScriptedPool) -> None:
    terms = pool.terms()
    pool.mine(deals=(DealSeen(terms),))
    (task,) = pool.ledger.tasks
    pool.refuse(task, INITIALIZE, None)
    pool.handle(TransactionAnswered(task, TransactionKind.CLAIM, False, reason="DEAL_NOT_FOUND"))
    pool.bury()
    assert task not in pool.scheduler.tasks
    pool.mine(deals=(DealSeen(terms),))
    assert task not in pool.scheduler.tasks
    pool.restart()
    pool.wait(1)
    pool.mine(deals=(DealSeen(terms),))
    assert task not in pool.scheduler.tasks


def test_a_deal_is_executable_until_its_contribution_deadline(pool: ScriptedPool) -> None:
    terms = pool.terms()
    assert is_executable(terms, terms.contribution_deadline - 1)
    assert not is_executable(terms, terms.contribution_deadline)
