"""Heads reach the pipeline, with the finalized block while a mined transaction is not final."""

import asyncio
from typing import Any

import structlog
from workerpool_transactions.adapters.head_feed import HeadFeed
from workerpool_transactions.app.pipeline import Pipeline

from libs.transactions.tests.doubles.virtual_time import run
from libs.transactions.tests.doubles.wallet import Wallet, call


class Rpc:
    """A node that tells one finalized block."""

    def __init__(self, finalized: int) -> None:
        self.finalized = finalized
        self.requests: list[Any] = []

    async def call(self, *request: Any) -> Any:
        self.requests.append(request)
        return {"number": hex(self.finalized)}


async def one_mined(wallet: Wallet, pipeline: Pipeline, feed: HeadFeed) -> None:
    feed.take(wallet.head())
    await pipeline.submit([call(0)])
    await wallet.until(lambda: len(wallet.node.pool) == 1)
    wallet.node.mine()
    feed.take(wallet.head())
    await wallet.until(lambda: pipeline.awaits_finality)


def test_the_finalized_block_is_read_only_while_a_mined_transaction_awaits_it() -> None:
    async def story() -> None:
        wallet = Wallet()
        rpc: Any = Rpc(1)
        async with wallet.running() as pipeline:
            feed = HeadFeed(rpc, pipeline)
            await one_mined(wallet, pipeline, feed)
            assert rpc.requests == []
            rpc.finalized = wallet.node.block
            for _ in range(3):
                wallet.node.mine(0)
                feed.take(wallet.head())
                await asyncio.sleep(1)
            assert not pipeline.awaits_finality
            assert len(rpc.requests) == 1
            await asyncio.sleep(60)
            feed.take(wallet.head())
            await feed.stop()
            assert len(rpc.requests) == 1

    run(story())


def test_an_impossible_number_is_logged() -> None:
    async def story() -> None:
        wallet = Wallet()
        rpc: Any = Rpc(1_000)
        async with wallet.running() as pipeline:
            feed = HeadFeed(rpc, pipeline)
            await one_mined(wallet, pipeline, feed)
            feed.take(wallet.head())
            await asyncio.sleep(1)
            await feed.stop()

    with structlog.testing.capture_logs() as logs:
        run(story())
    (ignored,) = [each for each in logs if each["event"] == "finality.tag_ignored"]
    assert "1000 lies ahead of its head" in ignored["error"]
