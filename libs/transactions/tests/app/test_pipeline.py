"""The good path: submit, send, mine, settle, wait."""

import asyncio
from collections.abc import Sequence

from workerpool_poco.protocol.ids import Hex
from workerpool_transactions.app.watcher import SHORTEST_INTERVAL_S
from workerpool_transactions.domain.answers import Counts
from workerpool_transactions.domain.entry import EntryState, Receipt

from libs.transactions.tests.doubles.virtual_time import run
from libs.transactions.tests.doubles.wallet import Wallet, call


def test_submitted_calls_are_journaled_sent_mined_and_settled() -> None:
    async def story() -> None:
        wallet = Wallet()
        async with wallet.running() as pipeline:
            entries = await pipeline.submit([call(0), call(1)])
            assert [each.nonce for each in entries] == [0, 1]
            assert sorted(wallet.journal.entries) == [0, 1], "journaled when `submit` returns"
            await wallet.until(lambda: len(wallet.node.pool) == 2)
            assert pipeline.live("work 1") is not None
            wallet.node.mine()
            ended = await pipeline.wait(1)
            assert ended.state is EntryState.MINED
            assert ended.receipt is not None
            assert [each.nonce for each in wallet.settled] == [0, 1]
            assert wallet.journal.entries[1].state is EntryState.MINED
            assert pipeline.live("work 1") is None
            assert await pipeline.wait(0) == wallet.journal.entries[0], "also after the end"

    run(story())


def test_a_thousand_transactions_pass_in_seconds() -> None:
    async def story() -> None:
        wallet = Wallet()
        wallet.node.mines_at_once = True
        async with wallet.running() as pipeline:
            await asyncio.gather(*(pipeline.submit([call(n)]) for n in range(1000)))
            assert len(wallet.journal.entries) == 1000
            assert pipeline.room == 0
            seconds = await wallet.until(lambda: len(wallet.settled) == 1000)
        assert seconds < 5
        assert len(wallet.node.effects()) == len(set(wallet.node.effects())) == 1000
        assert len(wallet.node.sent) == 1000

    run(story())


def test_an_idle_wallet_reads_nothing() -> None:
    async def story() -> None:
        wallet = Wallet()
        wallet.node.mines_at_once = True
        async with wallet.running() as pipeline:
            await pipeline.submit([call(0)])
            await wallet.until(lambda: len(wallet.settled) == 1)
            await asyncio.sleep(60)
            before = list(wallet.node.calls)
            await asyncio.sleep(3600)
            assert wallet.node.calls == before

    run(story())


def test_a_receipt_that_the_counts_know_is_read_in_the_same_look() -> None:
    """A node may answer the parts of one request in any order."""

    async def story() -> None:
        wallet = Wallet()
        node, look = wallet.node, wallet.node.look

        async def receipts_first(hashes: Sequence[Hex]) -> tuple[Counts, dict[Hex, Receipt]]:
            node.look = look  # type: ignore[method-assign]
            receipts = await node.receipts(hashes)
            node.mine()
            return await node.counts(), receipts

        async with wallet.running() as pipeline:
            node.look = receipts_first  # type: ignore[method-assign]
            began = asyncio.get_running_loop().time()
            await pipeline.submit([call(0)])
            assert (await pipeline.wait(0)).state is EntryState.MINED
            assert asyncio.get_running_loop().time() - began < SHORTEST_INTERVAL_S

    run(story())
