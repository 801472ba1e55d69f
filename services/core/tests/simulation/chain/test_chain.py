"""Blocks, the mempool and reorganisations of the simulated chain."""

from collections.abc import Callable
from random import Random

from workerpool_core.domain.model import DealTerms
from workerpool_core.simulation.chain.chain import Chain
from workerpool_core.simulation.chain.hub import Transaction
from workerpool_core.simulation.clock import Clock
from workerpool_core.simulation.deals import tasks_of
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ChainTaskStatus, ContributionStatus


def test_a_sender_learns_the_outcome_and_the_block(chain: Chain, clock: Clock, task_id: TaskId) -> None:
    outcomes: list[tuple[bool, int]] = []
    for kind in ("initialize", "finalize"):
        chain.send(Transaction(kind, task_id, done=lambda *outcome: outcomes.append(outcome)))
    while chain.mempool:
        chain.mine()
    clock.run(clock.now + 2)
    assert sorted(succeeded for succeeded, _ in outcomes) == [False, True]
    assert all(1 < number <= chain.head.number for _, number in outcomes)


def test_a_reorganisation_returns_transactions_to_the_mempool_and_keeps_the_common_ancestor(
    chain: Chain, mine: Callable[..., None], task_id: TaskId
) -> None:
    matched = chain.head
    mine(Transaction("initialize", task_id))
    orphan = chain.head
    chain.reorganise(1)
    assert (chain.head, chain.task(task_id)) == (matched, None)
    assert [transaction.kind for transaction in chain.mempool] == ["initialize"]
    assert chain.ancestor(orphan.hash) == chain.ancestor(matched.hash) == matched
    chain.mine()
    assert chain.head.hash != orphan.hash


def test_the_genesis_block_survives_any_reorganisation(chain: Chain) -> None:
    chain.mine()
    chain.reorganise(64)
    assert [block.number for block in chain.blocks] == [0]
    chain.reorganise(1)
    assert len(chain.blocks) == 1


def test_views_have_the_values_of_the_newest_block(
    chain: Chain, mine: Callable[..., None], task_id: TaskId
) -> None:
    assert chain.view_task(task_id) is None
    mine(Transaction("initialize", task_id), Transaction("contribute", task_id, "0x1", "0x" + "aa" * 32))
    view = chain.view_task(task_id)
    assert view is not None
    assert (view.status, view.winner_counter) == (ChainTaskStatus.REVEALING, 1)
    contributions = chain.view_contributions(task_id, ("0x1", "0x2"))
    assert contributions["0x1"].status is ContributionStatus.CONTRIBUTED
    assert contributions["0x2"].status is ContributionStatus.UNSET


def test_a_deal_is_mined_before_other_transactions_of_its_block(clock: Clock, terms: DealTerms) -> None:
    (name,) = tasks_of(terms)
    for seed in range(20):
        chain = Chain(clock, Random(seed), tasks_of)
        chain.lag_s = 0.0
        chain.send(Transaction("initialize", name))
        chain.send(Transaction("match", TaskId(""), terms=terms))
        chain.mine()
        if not chain.mempool:
            assert chain.task(name) is not None
