"""Nonces that other programs use, counts that lag or go back, and gaps."""

import asyncio

from workerpool_transactions.domain.answers import SendAnswer, SendOutcome
from workerpool_transactions.domain.entry import Call, Entry, EntryState, Offer, Receipt
from workerpool_transactions.domain.profile import Shape

from libs.transactions.tests.doubles.node import PlainSigner, ScriptedNode, max_fee_of, nonce_of
from libs.transactions.tests.doubles.virtual_time import run
from libs.transactions.tests.doubles.wallet import HUB, Wallet, call


def test_a_nonce_that_another_program_used_displaces_only_its_entry() -> None:
    async def story() -> None:
        wallet = Wallet()
        async with wallet.running() as pipeline:
            await pipeline.submit([call(0), call(1)])
            await wallet.until(lambda: len(wallet.node.pool) == 2)
            wallet.node.use_nonce()
            wallet.node.mine()
            assert await wallet.until(lambda: len(wallet.settled) == 2) >= 5, "one sighting is not enough"
            states = {each.nonce: each.state for each in wallet.settled}
            assert states == {0: EntryState.DISPLACED, 1: EntryState.MINED}
            [again] = await pipeline.submit([call(0)])
            assert again.nonce == 2

    run(story())


def test_a_receipt_that_comes_late_displaces_nothing() -> None:
    async def story() -> None:
        wallet = Wallet()
        async with wallet.running() as pipeline:
            [entry] = await pipeline.submit([call(0)])
            wallet.node.hidden.add(entry.latest.hash)
            await wallet.until(lambda: 0 in wallet.node.pool)
            wallet.node.mine()
            await asyncio.sleep(60)
            assert wallet.settled == []
            wallet.node.hidden.clear()
            assert (await pipeline.wait(0)).state is EntryState.MINED

    run(story())


def test_other_programs_may_use_the_wallet_while_it_is_idle() -> None:
    async def story() -> None:
        wallet = Wallet()
        wallet.node.mines_at_once = True
        async with wallet.running() as pipeline:
            await pipeline.submit([call(0)])
            await pipeline.wait(0)
            wallet.node.use_nonce()
            wallet.node.use_nonce()
            [entry] = await pipeline.submit([call(1)])
            assert entry.nonce == 3
            assert (await pipeline.wait(3)).state is EntryState.MINED

    run(story())


def test_a_nonce_that_nothing_uses_is_filled_after_a_while() -> None:
    async def story() -> None:
        wallet = Wallet()
        wallet.node.pending_offset = 2
        async with wallet.running() as pipeline:
            [entry] = await pipeline.submit([call(0)])
            assert entry.nonce == 2, "the node said that other transactions wait"
            wallet.node.pending_offset = 0
            wallet.node.mines_at_once = True
            seconds = await wallet.until(lambda: len(wallet.settled) == 1)
            assert seconds > 8, "it says so several times for each of both"
            status = pipeline.status()
        assert status.fillers == 2
        assert [each.nonce for each in wallet.settled] == [2], "a filler is not the caller's"

    run(story())


def test_a_node_that_lags_opens_no_gap() -> None:
    async def story() -> None:
        wallet = Wallet()
        node = wallet.node
        node.lags = 4
        async with wallet.running() as pipeline:
            for number in range(30):
                await pipeline.submit([call(number)])
                await wallet.until(lambda: bool(node.pool))
                node.mine()
                await wallet.until(lambda: pipeline.room == wallet.max_in_flight)
            assert pipeline.status().fillers == 0
        assert len(node.effects()) == 30
        assert wallet.restored == []

    run(story())


def ended(nonce: int, state: EntryState) -> Entry:
    version = PlainSigner().sign(nonce, call(nonce), Offer(201, 1))
    receipt = None if state is EntryState.DISPLACED else Receipt(version.hash, True, 5, 21_000, "0xlost")
    return Entry(nonce, call(nonce), (version,), 0.0, state, receipt)


def test_a_gap_is_closed_by_the_entries_that_ended_there() -> None:
    async def story() -> None:
        wallet = Wallet()
        wallet.node.mines_at_once = True
        wallet.journal.entries = {n: ended(n, EntryState.MINED) for n in range(2)}
        async with wallet.running() as pipeline:
            [entry] = await pipeline.submit([call(2)])
            assert entry.nonce == 2, "a journaled nonce is never given to another call"
            await wallet.until(lambda: len(wallet.node.mined) == 3)
            await pipeline.wait(2)
            assert pipeline.status().fillers == 0
        assert wallet.node.effects() == [call(n).data for n in range(3)]
        assert {each.nonce for each in wallet.restored} == {0, 1}

    run(story())


def test_the_nonce_of_a_displaced_entry_is_used_up_without_its_call() -> None:
    async def story() -> None:
        wallet = Wallet()
        wallet.node.mines_at_once = True
        wallet.journal.entries = {0: ended(0, EntryState.DISPLACED)}
        async with wallet.running() as pipeline:
            await pipeline.submit([call(0)])
            await wallet.until(lambda: len(wallet.settled) == 1)
        assert wallet.node.effects() == [b"", call(0).data], "the call has moved to the second nonce"
        assert wallet.restored == []

    run(story())


def test_an_ended_entry_that_waits_again_is_replaced_when_it_pays_too_little() -> None:
    async def story() -> None:
        wallet = Wallet()
        old = ended(0, EntryState.REVERTED)
        wallet.journal.entries = {0: old}
        wallet.node.pool[0] = old.latest.raw
        wallet.node.base_fee = 1_000
        async with wallet.running() as pipeline:
            await pipeline.submit([call(1)])
            while len(wallet.settled) < 2:
                paid = [max_fee_of(raw) for _, raw in sorted(wallet.node.pool.items())]
                wallet.node.mine(min(paid, default=0) > 1_000)
                await asyncio.sleep(1)
            assert pipeline.status().fillers == 0
        assert [each.nonce for each in wallet.restored] == [0]

    run(story())


def test_two_pipelines_of_one_wallet_end_all_their_work() -> None:
    async def story() -> None:
        one, other = Wallet(), Wallet()
        other.node = one.node
        one.node.mines_at_once = True
        async with one.running() as first, other.running() as second:
            done = set[bytes]()

            async def work(pipeline: object, wallet: Wallet, number: int) -> None:
                assert pipeline is wallet.pipeline
                plan: Call = call(number)
                while plan.data not in done:
                    [entry] = await wallet.pipeline.submit([plan])
                    if (await wallet.pipeline.wait(entry.nonce)).state is EntryState.MINED:
                        done.add(plan.data)

            await asyncio.gather(
                *(work(first, one, n) for n in range(20)), *(work(second, other, n) for n in range(100, 120))
            )
        effects = one.node.effects()
        assert len(effects) == len(set(effects)) == 40

    run(story())


def test_a_journal_that_another_process_writes_costs_no_work() -> None:
    async def story() -> None:
        wallet = Wallet()
        wallet.node.mines_at_once = True
        async with wallet.running() as pipeline:
            await pipeline.submit([call(0)])
            await pipeline.wait(0)
            strange = Entry(
                1, Call(HUB, b"x", 1, ("x",)), (PlainSigner().sign(1, call(7), Offer(201, 1)),), 0.0
            )
            await wallet.journal.add([strange])
            [entry] = await pipeline.submit([call(2)])
            assert entry.nonce == 2
            await pipeline.wait(2)
        assert {each.nonce for each in wallet.settled} == {0, 1, 2}

    run(story())


def test_the_double_itself_keeps_gaps() -> None:
    async def story() -> None:
        node = ScriptedNode(mines_at_once=True)
        await node.send(PlainSigner().sign(1, call(1), Offer(1)).raw)
        assert node.mined == []

    run(story())


def test_a_gap_is_filled_although_no_send_was_ever_accepted() -> None:
    """Only an accepted send used to wake the watcher; the simulation found it."""

    async def story() -> None:
        wallet = Wallet(Shape.SEQUENCER)
        node = wallet.node
        node.mines_at_once = True
        node.pending_offset = 2
        node.refuse = lambda raw: (
            SendAnswer(SendOutcome.NONCE_TOO_HIGH, "nonce too high")
            if nonce_of(raw) > len(node.mined)
            else None
        )
        async with wallet.running() as pipeline:
            [entry] = await pipeline.submit([call(0)])
            node.pending_offset = 0
            assert entry.nonce == 2
            assert (await pipeline.wait(2)).state is EntryState.MINED

    run(story())
