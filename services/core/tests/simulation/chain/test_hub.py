"""The rules of the simulated hub (core spec §6)."""

from collections.abc import Callable

import pytest
from workerpool_core.domain.model import DealTerms
from workerpool_core.simulation.chain.chain import Chain
from workerpool_core.simulation.chain.hub import HubTask, Transaction, is_finalizable
from workerpool_core.simulation.clock import Clock
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ChainTaskStatus

S = ChainTaskStatus
T = 60
VALUE = "0x" + "aa" * 32
Mine = Callable[..., None]


@pytest.fixture
def send(mine: Mine, task_id: TaskId) -> Callable[..., None]:
    """`send(kind, sender, value)` mines a transaction about the task."""

    def send(kind: str, sender: str = "", value: str = "") -> None:
        mine(Transaction(kind, task_id, sender, value))

    return send


def status(chain: Chain, task_id: TaskId) -> ChainTaskStatus:
    return chain.head.state[task_id].status


def test_a_task_goes_from_initialization_to_finalization(
    chain: Chain, send: Callable[..., None], task_id: TaskId
) -> None:
    statuses = [status(chain, task_id)]
    for step in (("initialize",), ("contribute", "0x1", VALUE), ("reveal", "0x1"), ("finalize", "", "link")):
        send(*step)
        statuses.append(status(chain, task_id))
    assert statuses == [S.UNSET, S.ACTIVE, S.REVEALING, S.REVEALING, S.COMPLETED]
    assert ("TaskReveal", task_id, "0x1") in chain.hub.history


def test_one_transaction_contributes_and_finalizes(
    chain: Chain, send: Callable[..., None], task_id: TaskId
) -> None:
    send("initialize")
    send("contribute_and_finalize", "0x1", VALUE)
    assert status(chain, task_id) is S.COMPLETED


def test_a_wallet_contributes_once_and_only_winners_reveal(
    chain: Chain, send: Callable[..., None], task_id: TaskId
) -> None:
    for step in (("initialize",), ("contribute", "0x1", VALUE), ("contribute", "0x1", VALUE)):
        send(*step)
    send("reveal", "0x2")
    task = chain.head.state[task_id]
    assert (len(task.contributions), task.reveals) == (1, 0)


def test_a_task_without_reveals_is_reopened_and_its_winners_are_rejected(
    chain: Chain, clock: Clock, send: Callable[..., None], task_id: TaskId
) -> None:
    send("initialize")
    send("contribute", "0x1", VALUE)
    send("reopen")
    assert status(chain, task_id) is S.REVEALING, "the reveal phase has not ended"
    clock.run(clock.now + 2 * T)
    send("reopen")
    assert status(chain, task_id) is S.ACTIVE
    assert chain.head.state[task_id].contributions["0x1"][0].name == "REJECTED"


def test_a_task_is_claimed_after_its_final_deadline(
    chain: Chain, clock: Clock, send: Callable[..., None], task_id: TaskId
) -> None:
    send("initialize")
    send("claim")
    assert status(chain, task_id) is S.ACTIVE
    clock.run(clock.now + 10 * T)
    send("claim")
    assert status(chain, task_id) is S.FAILED


def test_a_task_that_was_never_initialized_is_claimed_with_its_initialization(
    chain: Chain, clock: Clock, send: Callable[..., None], task_id: TaskId
) -> None:
    send("initialize_and_claim")
    assert status(chain, task_id) is S.UNSET
    clock.run(clock.now + 10 * T)
    send("claim")
    assert status(chain, task_id) is S.UNSET
    send("initialize_and_claim")
    assert status(chain, task_id) is S.FAILED


@pytest.mark.parametrize(
    ("reveals", "late", "expected"), [(2, False, True), (1, False, False), (1, True, True), (0, True, False)]
)
def test_a_finalization_needs_all_reveals_or_one_after_the_reveal_deadline(
    terms: DealTerms, reveals: int, late: bool, expected: bool
) -> None:
    deadline = terms.start_time + 2 * T
    task = HubTask(terms, S.REVEALING, reveal_deadline=deadline, winners=2, reveals=reveals)
    assert is_finalizable(task, deadline if late else deadline - 1) is expected
