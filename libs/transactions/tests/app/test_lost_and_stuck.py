"""What a node lost is sent again as the same bytes; what it holds too long gets a higher offer."""

import asyncio

import pytest
from workerpool_transactions.domain.entry import EntryState
from workerpool_transactions.domain.fees import FeePolicy
from workerpool_transactions.domain.profile import Shape

from libs.transactions.tests.doubles.node import max_fee_of, nonce_of
from libs.transactions.tests.doubles.virtual_time import run
from libs.transactions.tests.doubles.wallet import Wallet, call


@pytest.mark.parametrize("shape", list(Shape))
def test_a_dropped_transaction_is_sent_again_as_the_same_bytes(shape: Shape) -> None:
    async def story() -> None:
        wallet = Wallet(shape)
        async with wallet.running() as pipeline:
            [entry] = await pipeline.submit([call(0)])
            await wallet.until(lambda: 0 in wallet.node.pool)
            wallet.node.pool.clear()
            assert await wallet.until(lambda: 0 in wallet.node.pool) < 3
        assert wallet.node.sent == [entry.latest.raw] * 2

    run(story())


def test_a_node_that_lost_its_pool_gets_everything_again() -> None:
    async def story() -> None:
        wallet = Wallet()
        async with wallet.running() as pipeline:
            await pipeline.submit([call(n) for n in range(64)])
            await wallet.until(lambda: len(wallet.node.pool) == 64)
            await asyncio.sleep(2)
            wallet.node.pool.clear()
            assert await wallet.until(lambda: len(wallet.node.pool) == 64) < 5
        assert all(len(each.versions) == 1 for each in wallet.journal.entries.values())

    run(story())


def test_a_transaction_that_waits_while_blocks_pass_is_replaced_under_the_cap() -> None:
    async def story() -> None:
        wallet = Wallet(policy=FeePolicy(1.0, cap=300))
        async with wallet.running() as pipeline:
            await pipeline.submit([call(0)])
            await wallet.until(lambda: 0 in wallet.node.pool)
            for _ in range(120):
                wallet.node.mine(0)
                await asyncio.sleep(1)
            offers = sorted(set(map(max_fee_of, wallet.node.sent)))
            assert offers[0] == 201
            assert len(offers) >= 3, "it is replaced again and again"
            assert offers[-1] <= 300
            wallet.node.mine()
            ended = await pipeline.wait(0)
        assert ended.receipt is not None
        assert ended.receipt.hash == ended.latest.hash
        assert pipeline.status().replacements == len(offers) - 1

    run(story())


def test_an_earlier_version_may_be_the_one_that_is_mined() -> None:
    async def story() -> None:
        wallet = Wallet()
        async with wallet.running() as pipeline:
            [entry] = await pipeline.submit([call(0)])
            while len(wallet.journal.entries[0].versions) < 2:
                wallet.node.mine(0)
                await asyncio.sleep(1)
            await wallet.until(lambda: wallet.node.pool[0] != entry.latest.raw)
            wallet.node.pool[0] = entry.latest.raw
            wallet.node.mine()
            ended = await pipeline.wait(0)
        assert ended.state is EntryState.MINED
        assert ended.receipt is not None
        assert ended.receipt.hash == entry.latest.hash

    run(story())


def test_without_blocks_nothing_is_replaced() -> None:
    async def story() -> None:
        wallet = Wallet()
        async with wallet.running() as pipeline:
            await pipeline.submit([call(0)])
            await asyncio.sleep(600)
            assert len(wallet.journal.entries[0].versions) == 1
            assert len(wallet.node.sent) == 1

    run(story())


@pytest.mark.parametrize("shape", [Shape.SEQUENCER, Shape.FREE])
def test_where_no_offer_can_win_nothing_is_replaced(shape: Shape) -> None:
    async def story() -> None:
        wallet = Wallet(shape, FeePolicy(0, 0) if shape is Shape.FREE else FeePolicy())
        async with wallet.running() as pipeline:
            await pipeline.submit([call(0)])
            for _ in range(120):
                wallet.node.mine(0)
                await asyncio.sleep(1)
            assert len(wallet.journal.entries[0].versions) == 1

    run(story())


def test_a_base_fee_above_all_offers_replaces_all_of_them_together() -> None:
    async def story() -> None:
        wallet = Wallet()
        async with wallet.running() as pipeline:
            await pipeline.submit([call(n) for n in range(20)])
            await wallet.until(lambda: len(wallet.node.pool) == 20)
            wallet.node.base_fee = 5_000
            for _ in range(20):
                wallet.node.mine(0)
                await asyncio.sleep(1)
            assert {nonce_of(raw) for raw in wallet.node.pool.values() if max_fee_of(raw) > 5_000} == set(
                range(20)
            )

    run(story())
