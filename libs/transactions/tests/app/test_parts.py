"""Each part of the pipeline alone, over the same context."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import pytest
from workerpool_transactions.adapters.asyncio_timer import AsyncioTimer
from workerpool_transactions.app.endings import Endings
from workerpool_transactions.app.fees import QUOTE_S, Fees
from workerpool_transactions.app.intake import READ_AHEAD_S, Intake
from workerpool_transactions.app.mined import Mined
from workerpool_transactions.app.pipeline import Pipeline
from workerpool_transactions.app.sender import SPACING_S, Sender
from workerpool_transactions.app.versions import Versions
from workerpool_transactions.app.watcher import BURST, SHORTEST_INTERVAL_S, Watcher
from workerpool_transactions.domain.answers import SendAnswer
from workerpool_transactions.domain.counting import Block
from workerpool_transactions.domain.entry import Entry, EntryState, Offer, Receipt
from workerpool_transactions.domain.item import Wanted
from workerpool_transactions.domain.looking import End

from libs.transactions.tests.doubles.node import PlainSigner, ScriptedNode, nonce_of
from libs.transactions.tests.doubles.virtual_time import run
from libs.transactions.tests.doubles.wallet import Wallet, call


def entry(nonce: int) -> Entry:
    return Entry(nonce, call(nonce), (PlainSigner().sign(nonce, call(nonce), Offer(201, 1)),), 0.0)


async def briefly(loop: asyncio.Task[None], seconds: float) -> None:
    await asyncio.sleep(seconds)
    loop.cancel()
    with suppress(asyncio.CancelledError):
        await loop


@asynccontextmanager
async def running_intake(wallet: Wallet) -> AsyncIterator[Intake]:
    intake = Intake(wallet.context())
    loop = asyncio.create_task(intake.run())
    yield intake
    await briefly(loop, 0)


def test_fees_are_read_once_a_second_at_most() -> None:
    async def story() -> None:
        node = ScriptedNode()
        fees = Fees(node, AsyncioTimer())
        await fees.quote()
        await fees.quote()
        assert node.calls == ["quote"]
        await asyncio.sleep(QUOTE_S)
        await fees.quote()
        await fees.quote(0)
        assert node.calls == ["quote"] * 3

    run(story())


def test_submissions_of_one_moment_share_one_journal_write() -> None:
    async def story() -> None:
        wallet = Wallet()
        writes, add = list[int](), wallet.journal.add

        async def counted(entries: Sequence[Entry]) -> None:
            writes.append(len(entries))
            await add(entries)

        wallet.journal.add = counted  # type: ignore[method-assign]
        async with running_intake(wallet) as intake:
            submitted = await asyncio.gather(*(intake.submit([call(n), call(n)]) for n in range(50)))
            assert writes == [100]
            assert [[each.nonce for each in own] for own in submitted] == [
                [2 * n, 2 * n + 1] for n in range(50)
            ]

    run(story())


@pytest.mark.parametrize(("pause_s", "reads"), [(0.0, 1), (READ_AHEAD_S / 2, 1), (READ_AHEAD_S, 2)])
def test_an_expected_submission_reads_nothing_more(pause_s: float, reads: int) -> None:
    async def story() -> None:
        wallet = Wallet()
        async with running_intake(wallet) as intake:
            intake.expect()
            await asyncio.sleep(pause_s)
            intake.expect()
            [first] = await intake.submit([call(0)])
            assert first.nonce == 0
            assert wallet.node.calls.count("counts") == reads

    run(story())


def test_another_submission_may_get_the_expected_nonce() -> None:
    async def story() -> None:
        wallet = Wallet()
        async with running_intake(wallet) as intake:
            intake.expect()
            await intake.submit([call(0)])
            intake.expect()
            await asyncio.sleep(0.1)
            submitted = await asyncio.gather(*(intake.submit([call(n)]) for n in (1, 2)))
            intake.expect()
            await intake.submit([call(3)])
            [last] = await intake.submit([call(4)])
            assert [each.nonce for [each] in submitted] == [1, 2]
            assert last.nonce == 4

    run(story())


def test_an_outage_ends_what_was_expected() -> None:
    async def story() -> None:
        wallet = Wallet()
        async with running_intake(wallet) as intake:
            wallet.node.is_down = True
            intake.expect()
            await asyncio.sleep(0.1)
            wallet.node.is_down = False
            [entry] = await intake.submit([call(0)])
            assert entry.nonce == 0

    run(story())


def test_sends_go_out_one_by_one_in_nonce_order_with_a_short_delay() -> None:
    async def story() -> None:
        wallet = Wallet()
        wallet.node.answers_after_s = 60.0
        context = wallet.context()
        context.queue.put([entry(n) for n in (3, 1, 2)], 0.0)
        context.looked.set()
        await briefly(asyncio.create_task(Sender(context).run()), 2.5 * SPACING_S)
        assert [nonce_of(raw) for raw in wallet.node.sent] == [1, 2, 3]

    run(story())


def test_looks_are_spaced_however_often_they_are_requested() -> None:
    async def story() -> None:
        wallet = Wallet()
        context = wallet.context()
        context.queue.put([entry(0)], 0.0)
        mined, endings = Mined(context), Endings(context)
        loop = asyncio.create_task(Watcher(context, mined, endings).run())
        for _ in range(1000):
            context.look_now.set()
            await asyncio.sleep(0.001)
        assert wallet.node.calls.count("counts") <= 1 / SHORTEST_INTERVAL_S + BURST
        await briefly(loop, 0)

    run(story())


def test_a_transaction_that_is_mined_at_once_ends_at_once() -> None:
    """The node answers after the entry was journaled; the look waits for its answer."""

    class MinesLater(ScriptedNode):
        async def send(self, raw: bytes) -> SendAnswer:
            await asyncio.sleep(SHORTEST_INTERVAL_S / 10)
            return await super().send(raw)

    async def story() -> None:
        wallet = Wallet()
        wallet.node = MinesLater(mines_at_once=True)
        async with wallet.running() as pipeline:
            for number in range(3):
                await asyncio.sleep(60)
                await _ends_at_once(pipeline, number)

    run(story())


def test_the_next_transaction_of_a_wallet_ends_at_once_too() -> None:
    """A worker reveals right after it contributed; its reveal waits for no spacing of looks."""

    async def story() -> None:
        wallet = Wallet()
        wallet.node = ScriptedNode(mines_at_once=True)
        async with wallet.running() as pipeline:
            for number in range(BURST - 1):
                await _ends_at_once(pipeline, number)

    run(story())


def test_a_look_without_a_reading_delays_no_later_one() -> None:
    """The head with a transaction often arrives when its receipt was read already."""

    async def story() -> None:
        wallet = Wallet()
        wallet.node = ScriptedNode(mines_at_once=True)
        context = wallet.context()
        mined, endings = Mined(context), Endings(context)
        await context.fees.refresh_balance()
        loop = asyncio.create_task(Watcher(context, mined, endings).run())
        for _ in range(3 * BURST):
            context.look_now.set()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        context.queue.put([entry(0)], 0.0)
        (item,) = context.queue.in_order()
        item.waits(item.entry.latest, context.timer.time(), 0)
        began = len(wallet.node.calls)
        context.look_now.set()
        await briefly(loop, SHORTEST_INTERVAL_S / 10)
        assert "counts" in wallet.node.calls[began:]

    run(story())


async def _ends_at_once(pipeline: Pipeline, number: int) -> None:
    (entry,) = await pipeline.submit([call(number)])
    began = asyncio.get_running_loop().time()
    assert (await pipeline.wait(entry.nonce)).state is EntryState.MINED
    assert asyncio.get_running_loop().time() - began < SHORTEST_INTERVAL_S / 2


def test_a_version_is_journaled_before_it_is_due() -> None:
    async def story() -> None:
        wallet = Wallet()
        context = wallet.context()
        await wallet.journal.add([entry(0)])
        [item] = context.queue.put([entry(0)], 0.0)
        item.wanted, item.due_at = Wanted.FEE, None
        wallet.node.base_fee = 1_000
        await Versions(context).renew(context.queue.wanting())
        assert [each.offer.max_fee for each in wallet.journal.entries[0].versions] == [201, 2_001]
        assert item.due_at == 0.0

    run(story())


def test_a_failed_settlement_leaves_the_entry_in_flight() -> None:
    async def story() -> None:
        wallet = Wallet()
        context = wallet.context()

        async def fails(_: Sequence[Entry]) -> None:
            raise OSError("the database is away")

        context.settle = fails
        await wallet.journal.add([entry(0)])
        context.queue.put([entry(0)], 0.0)
        endings = Endings(context)
        end = End(0, EntryState.MINED, Receipt(entry(0).latest.hash, True, 1, 1))
        with pytest.raises(OSError, match="database"):
            await endings.end([end])
        assert wallet.journal.entries[0].is_live
        context.settle = wallet.settle
        await endings.end([end])
        assert wallet.journal.entries[0].state is EntryState.MINED
        with pytest.raises(KeyError):
            await endings.wait(7)

    run(story())


def test_a_nonce_that_an_entry_holds_is_not_filled() -> None:
    async def story() -> None:
        wallet = Wallet()
        context = wallet.context()
        wallet.journal.entries = {0: entry(0).ended(EntryState.MINED, 0.0), 2: entry(2)}
        context.queue.put([entry(2)], 0.0)
        mined = Mined(context)
        await mined.unblock(Block(0, 0))
        assert (context.fillers, sorted(wallet.journal.entries)) == (0, [0, 2])
        assert wallet.journal.entries[0].is_live
        await mined.unblock(Block(1, 1))
        assert (context.fillers, sorted(wallet.journal.entries)) == (1, [0, 1, 2])

    run(story())
