"""The simulated chain adapter answers every request, and sends each transaction once."""

from random import Random

import pytest
from workerpool_core.domain.decisions import RequestTransaction
from workerpool_core.domain.events import TransactionAnswered, TransactionKind
from workerpool_core.simulation.chain.adapter import Adapter
from workerpool_core.simulation.chain.chain import Chain
from workerpool_core.simulation.clock import Clock
from workerpool_poco.protocol.ids import TaskId

K = TransactionKind


@pytest.fixture
def adapter(clock: Clock, chain: Chain) -> Adapter:
    return Adapter(clock, Random(1), chain)


class Requester:
    """Requests transactions and keeps the answers."""

    def __init__(self, adapter: Adapter, clock: Clock, chain: Chain) -> None:
        self._adapter, self._clock, self._chain = adapter, clock, chain
        self.answers: list[TransactionAnswered] = []

    def request(self, kind: TransactionKind, task_id: TaskId) -> None:
        self._adapter.request(RequestTransaction(kind, task_id), self.answers.append)

    def settle(self) -> list[bool | None]:
        """Mine the mempool and let the answers arrive; return whether each request succeeded."""
        while self._chain.mempool:
            self._chain.mine()
        self._clock.run(self._clock.now + 60)
        return [answer.succeeded for answer in self.answers]


@pytest.fixture
def requester(adapter: Adapter, clock: Clock, chain: Chain) -> Requester:
    return Requester(adapter, clock, chain)


def test_two_requests_are_one_transaction_and_two_answers(
    requester: Requester, chain: Chain, task_id: TaskId
) -> None:
    requester.request(K.INITIALIZE, task_id)
    requester.request(K.INITIALIZE, task_id)
    assert len(chain.mempool) == 1
    assert requester.settle() == [True, True]


def test_a_transaction_that_is_mined_already_is_not_sent_again(
    requester: Requester, chain: Chain, task_id: TaskId
) -> None:
    requester.request(K.INITIALIZE, task_id)
    requester.settle()
    requester.request(K.INITIALIZE, task_id)
    assert chain.mempool == []
    assert requester.settle() == [True, True]


@pytest.mark.parametrize("kind", [K.FINALIZE, K.CLAIM, K.REOPEN])
def test_an_impossible_transaction_is_refused(
    requester: Requester, task_id: TaskId, kind: TransactionKind
) -> None:
    requester.request(kind, task_id)
    assert requester.settle() == [False]


def test_a_stop_leaves_the_outcome_of_requests_in_flight_unknown(
    requester: Requester, adapter: Adapter, task_id: TaskId
) -> None:
    requester.request(K.INITIALIZE, task_id)
    adapter.stop()
    requester.request(K.INITIALIZE, task_id)
    assert requester.settle() == [None, None]
