"""How the simulated nodes take transactions: the rows of a mempool and of a sequencer."""

from random import Random

from workerpool_transactions.domain.answers import SendOutcome
from workerpool_transactions.simulation.chain.blocks import Chain
from workerpool_transactions.simulation.chain.mempool import Mempool
from workerpool_transactions.simulation.chain.sequencer import Sequencer
from workerpool_transactions.simulation.virtual_time import run

from libs.transactions.tests.simulation.calls import signed


def chain() -> Chain:
    return Chain(Random(1), 10**9, 10)


def test_a_pool_keeps_a_gap_until_it_is_filled() -> None:
    async def story() -> None:
        made = chain()
        pool = Mempool(Random(1), made)
        assert (await pool.take(signed(1), made.head)).outcome is SendOutcome.ACCEPTED
        assert pool.mine(1.0).count == 0
        assert pool.pending(made.head) == 0
        await pool.take(signed(0), made.head)
        assert pool.pending(made.head) == 2
        assert pool.mine(2.0).count == 2

    run(story)


def test_a_pool_takes_a_replacement_from_ten_percent_more() -> None:
    async def story() -> None:
        made = chain()
        pool = Mempool(Random(1), made)
        await pool.take(signed(0, max_fee=100), made.head)
        low = await pool.take(signed(0, max_fee=109), made.head)
        assert low.outcome is SendOutcome.REPLACEMENT_TOO_LOW
        assert pool.knows(signed(0, max_fee=100).hash, made.head)
        pool.forget(signed(0, max_fee=100))
        assert not pool.knows(signed(0, max_fee=100).hash, made.head)

    run(story)


def test_a_sequencer_holds_a_gap_for_a_second_and_executes_at_once() -> None:
    async def story() -> None:
        made = chain()
        sequencer = Sequencer(made)
        assert (await sequencer.take(signed(1), made.head)).outcome is SendOutcome.NONCE_TOO_HIGH
        assert (await sequencer.take(signed(0), made.head)).outcome is SendOutcome.ACCEPTED
        assert made.head.count == sequencer.pending(made.head) == 1
        assert (await sequencer.take(signed(0), made.head)).outcome is SendOutcome.NONCE_TOO_LOW
        assert (await sequencer.take(signed(1, max_fee=9), made.head)).outcome is SendOutcome.FEE_TOO_LOW

    run(story)
