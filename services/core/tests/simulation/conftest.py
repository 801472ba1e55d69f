"""Parts of a simulated pool."""

from collections.abc import Callable
from random import Random

import pytest
from workerpool_core.domain.model import DealTerms
from workerpool_core.simulation.chain.chain import Chain
from workerpool_core.simulation.chain.hub import Transaction
from workerpool_core.simulation.clock import Clock
from workerpool_core.simulation.deals import deal_terms, tasks_of
from workerpool_poco.protocol.ids import DealId, TaskId

START = 1_000_000.0
T = 60


@pytest.fixture
def clock() -> Clock:
    return Clock(START)


@pytest.fixture
def chain(clock: Clock) -> Chain:
    """A chain whose blocks have the time of the clock; every wallet has the weight 2."""
    chain = Chain(clock, Random(1), tasks_of)
    chain.lag_s = 0.0
    chain.hub.weights.update({f"0x{number}": 2 for number in range(4)})
    return chain


@pytest.fixture
def terms() -> DealTerms:
    """The terms of a deal of one task with trust 1."""
    return deal_terms(DealId(f"0x{1:064x}"), start=START, execution_s=T)


@pytest.fixture
def mine(chain: Chain) -> Callable[..., None]:
    """`mine(*transactions)` mines transactions, one per block."""

    def mine(*transactions: Transaction) -> None:
        for transaction in transactions:
            chain.send(transaction)
            while chain.mempool:
                chain.mine()

    return mine


@pytest.fixture
def task_id(terms: DealTerms, mine: Callable[..., None]) -> TaskId:
    """A task whose deal is mined."""
    mine(Transaction("match", TaskId(""), terms=terms))
    return tasks_of(terms)[0]
