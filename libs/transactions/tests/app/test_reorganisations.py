"""Mined entries that a reorganisation removes are in flight again, with the same bytes."""

import asyncio

import pytest
from workerpool_transactions.app.pipeline import Pipeline
from workerpool_transactions.domain.entry import EntryState

from libs.transactions.tests.doubles.virtual_time import run
from libs.transactions.tests.doubles.wallet import Wallet, call


async def two_mined(wallet: Wallet, pipeline: Pipeline) -> None:
    pipeline.head_changed(wallet.head())
    await pipeline.submit([call(0), call(1)])
    await wallet.until(lambda: len(wallet.node.pool) == 2)
    wallet.node.mine(1)
    pipeline.head_changed(wallet.head())
    wallet.node.mine(1)
    pipeline.head_changed(wallet.head())
    await wallet.until(lambda: len(wallet.settled) == 2)


def test_a_removed_transaction_is_sent_again_and_the_caller_told() -> None:
    async def story() -> None:
        wallet = Wallet()
        async with wallet.running() as pipeline:
            await two_mined(wallet, pipeline)
            wallet.node.reorganise(1)
            wallet.node.mine(0)
            pipeline.head_changed(wallet.head())
            assert await wallet.until(lambda: 1 in wallet.node.pool) < 3
            assert [each.nonce for each in wallet.restored] == [1]
            assert wallet.journal.entries[1].is_live
            wallet.node.mine()
            ended = await pipeline.wait(1)
            assert ended.state is EntryState.MINED
        assert wallet.node.effects() == [call(0).data, call(1).data]
        assert len(wallet.journal.entries[1].versions) == 1

    run(story())


def test_a_transaction_that_moved_to_another_block_is_settled_with_that_block() -> None:
    async def story() -> None:
        wallet = Wallet()
        async with wallet.running() as pipeline:
            await two_mined(wallet, pipeline)
            wallet.node.reorganise(2, keeps=True)
            wallet.node.mine()
            pipeline.head_changed(wallet.head())
            await wallet.until(lambda: len(wallet.settled) == 4)
            assert wallet.restored == []
            assert {each.receipt.block_number for each in wallet.settled[2:] if each.receipt} == {
                wallet.node.block
            }
            assert wallet.journal.entries[0] == wallet.settled[2]

    run(story())


def test_another_transaction_may_take_the_nonce_after_a_reorganisation() -> None:
    async def story() -> None:
        wallet = Wallet()
        async with wallet.running() as pipeline:
            await two_mined(wallet, pipeline)
            wallet.node.reorganise(1)
            wallet.node.use_nonce()
            pipeline.head_changed(wallet.head())
            await wallet.until(lambda: wallet.settled[-1].state is EntryState.DISPLACED)
            assert wallet.settled[-1].nonce == 1

    run(story())


def test_a_reverted_form_after_a_reorganisation_is_settled_as_such() -> None:
    async def story() -> None:
        wallet = Wallet()
        async with wallet.running() as pipeline:
            await two_mined(wallet, pipeline)
            wallet.node.reorganise(1, keeps=True)
            wallet.node.reverts.add(wallet.journal.entries[1].latest.raw)
            wallet.node.mine()
            pipeline.head_changed(wallet.head())
            await wallet.until(lambda: wallet.settled[-1].state is EntryState.REVERTED)
            assert [each.nonce for each in wallet.restored] == [1]

    run(story())


def test_a_child_of_the_last_head_costs_no_request() -> None:
    async def story() -> None:
        wallet = Wallet()
        async with wallet.running() as pipeline:
            await two_mined(wallet, pipeline)
            await asyncio.sleep(5)
            before = len(wallet.node.calls)
            for _ in range(50):
                wallet.node.mine(0)
                pipeline.head_changed(wallet.head())
                await asyncio.sleep(1)
            assert len(wallet.node.calls) == before

    run(story())


def test_skipped_heads_cost_one_receipt_now_and_then() -> None:
    async def story() -> None:
        wallet = Wallet()
        async with wallet.running() as pipeline:
            await two_mined(wallet, pipeline)
            await asyncio.sleep(5)
            wallet.node.calls.clear()
            for _ in range(200):
                wallet.node.mine(0)
                wallet.node.mine(0)
                pipeline.head_changed(wallet.head(), finalized=1)
                await asyncio.sleep(0.5)
            assert 3 < wallet.node.calls.count("receipts") < 30
            assert set(wallet.node.calls) <= {"receipts", "balance", "quote"}

    run(story())


def test_a_reorganisation_between_heads_is_found() -> None:
    async def story() -> None:
        wallet = Wallet()
        async with wallet.running() as pipeline:
            await two_mined(wallet, pipeline)
            await asyncio.sleep(5)
            wallet.node.reorganise(1)
            wallet.node.mine(0)
            wallet.node.mine(0)
            pipeline.head_changed(wallet.head())
            await wallet.until(lambda: 1 in wallet.node.pool, limit_s=10)

    run(story())


@pytest.mark.parametrize("finalized", [None, 1_000])
def test_a_final_entry_is_watched_no_longer(finalized: int | None) -> None:
    async def story() -> None:
        wallet = Wallet()
        async with wallet.running() as pipeline:
            await two_mined(wallet, pipeline)
            for _ in range(100):
                wallet.node.mine(0)
                pipeline.head_changed(wallet.head(), finalized)
                await asyncio.sleep(1)
            await asyncio.sleep(5)
            before = wallet.node.calls.count("receipts")
            wallet.node.fork += "'"
            wallet.node.block += 1
            pipeline.head_changed(wallet.head(), finalized)
            await asyncio.sleep(5)
            assert wallet.node.calls.count("receipts") == before

    run(story())


def test_sixty_four_quick_blocks_are_not_final() -> None:
    async def story() -> None:
        wallet = Wallet()
        async with wallet.running() as pipeline:
            await two_mined(wallet, pipeline)
            for _ in range(100):
                wallet.node.mine(0)
                pipeline.head_changed(wallet.head())
                await asyncio.sleep(0.25)
            wallet.node.reorganise(1)
            wallet.node.block += 1
            pipeline.head_changed(wallet.head())
            await wallet.until(lambda: [each.nonce for each in wallet.restored] == [1], limit_s=5)

    run(story())


def test_an_answer_from_a_node_that_lags_is_confirmed_first() -> None:
    async def story() -> None:
        wallet = Wallet()
        async with wallet.running() as pipeline:
            await two_mined(wallet, pipeline)
            wallet.node.hidden = {wallet.journal.entries[1].latest.hash}
            wallet.node.fork += "'"
            wallet.node.block += 1
            pipeline.head_changed(wallet.head())
            await asyncio.sleep(0.2)
            wallet.node.hidden = set()
            await asyncio.sleep(10)
            assert wallet.restored == []

    run(story())


def test_a_recheck_has_told_the_caller_when_it_returns() -> None:
    async def story() -> None:
        wallet = Wallet()
        async with wallet.running() as pipeline:
            await two_mined(wallet, pipeline)
            await pipeline.recheck()
            assert wallet.restored == []
            wallet.node.reorganise(2)
            await pipeline.recheck()
            assert [each.nonce for each in wallet.restored] == [0, 1]

    run(story())


def test_a_reorganisation_during_a_stop_is_found_after_the_start() -> None:
    async def story() -> None:
        wallet = Wallet()
        async with wallet.running() as pipeline:
            await two_mined(wallet, pipeline)
        wallet.node.reorganise(1)
        wallet.node.mine(0)
        async with wallet.running() as pipeline:
            pipeline.head_changed(wallet.head())
            await wallet.until(lambda: 1 in wallet.node.pool)
            assert [each.nonce for each in wallet.restored] == [1]

    run(story())
