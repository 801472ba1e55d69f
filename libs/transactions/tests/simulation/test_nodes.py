"""The simulated nodes behind one address, and the faults of a seed."""

import asyncio

import pytest
from workerpool_poco.errors import ChainUnreachable
from workerpool_transactions.domain.profile import Shape
from workerpool_transactions.simulation.chain.blocks import Chain
from workerpool_transactions.simulation.chain.mempool import Mempool
from workerpool_transactions.simulation.chain.node import SimulatedNode
from workerpool_transactions.simulation.environment import Environment
from workerpool_transactions.simulation.fault_injector import FaultInjector
from workerpool_transactions.simulation.faults import Faults
from workerpool_transactions.simulation.virtual_time import run

from libs.transactions.tests.simulation.calls import entry, signed


def environment(**faults: float) -> Environment:
    made = Environment(1, None)
    made.faults = Faults("chosen", **faults)  # type: ignore[arg-type]
    made.shape, made.faults_end, made.block_time_s = Shape.MEMPOOL, 1000.0, 1.0
    return made


def node(around: Environment) -> tuple[SimulatedNode, Chain]:
    chain = Chain(around.random, 10**9, 10)
    return SimulatedNode(around, chain, Mempool(around.random, chain), lambda sent, raw: None), chain


def test_a_back_end_that_lags_does_not_see_the_newest_blocks() -> None:
    async def story() -> None:
        made, chain = node(environment(lagging=1.0, lag_blocks=5))
        await asyncio.sleep(100)
        chain.mine([signed(0)], 100.0)
        assert (await made.counts()).mined == 0
        assert await made.receipts([signed(0).hash]) == {}
        await asyncio.sleep(6)
        assert (await made.counts()).mined == 1

    run(story)


def test_a_lost_answer_hides_that_the_transaction_was_taken() -> None:
    async def story() -> None:
        made, chain = node(environment(lost_answers=1.0))
        with pytest.raises(ChainUnreachable):
            await made.send(entry(0).latest.raw)
        assert made.intake.mine(1.0).count == 1
        assert chain.head.effects == {b"work": 1}

    run(story)


def test_an_outage_ends_with_the_faults() -> None:
    async def story() -> None:
        around = environment(outages=1.0)
        made, chain = node(around)
        around.faults_end = 10.0
        loop = asyncio.get_running_loop()
        FaultInjector(around, chain, made, lambda: None).start(loop.call_later)
        await asyncio.sleep(9.9)
        with pytest.raises(ChainUnreachable):
            await made.balance()
        await asyncio.sleep(1)
        await made.balance()

    run(story)


def test_the_transactions_of_strangers_count_until_they_are_mined() -> None:
    async def story() -> None:
        around = environment(strangers=0.5)
        around.faults_end = 20.0
        made, chain = node(around)
        injector = FaultInjector(around, chain, made, lambda: None)
        injector.start(asyncio.get_running_loop().call_later)
        await asyncio.sleep(21)
        waiting = injector.waiting_strangers()
        assert waiting > 0
        chain.base_fee = 10**9
        chain.mine([], 21.0)
        made.intake.mine(22.0)
        assert injector.waiting_strangers() == waiting, "they cannot pay"
        chain.base_fee = 1
        for second in range(23, 60):
            made.intake.mine(float(second))
        assert injector.waiting_strangers() == 0

    run(story)
