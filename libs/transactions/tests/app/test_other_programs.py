"""Transactions of other programs that no block takes, below those of the pipeline."""

import asyncio

import pytest
from workerpool_transactions.domain.counting import BLOCKED_AFTER_S, STUCK_AFTER_S
from workerpool_transactions.domain.entry import Call, Entry, EntryState, Offer
from workerpool_transactions.domain.fees import FeePolicy

from libs.transactions.tests.doubles.node import PlainSigner, max_fee_of
from libs.transactions.tests.doubles.virtual_time import run
from libs.transactions.tests.doubles.wallet import HUB, Wallet, call


def wait_for_a_higher_fee(wallet: Wallet, max_fee: int) -> bytes:
    """Put a transaction of another program in the node's pool, which pays less than the base fee."""
    raw = PlainSigner().sign(0, Call(HUB, b"other", 21_000), Offer(max_fee, 1)).raw
    wallet.node.pool[0] = raw
    return raw


async def mine(wallet: Wallet, seconds: float) -> None:
    """Mine a block each second, of transactions that pay the base fee; stop when the work has ended."""
    node = wallet.node
    for _ in range(int(seconds)):
        await asyncio.sleep(1)
        raw = node.pool.get(len(node.mined))
        node.mine(1 if raw is not None and max_fee_of(raw) >= (node.base_fee or 0) else 0)
        if wallet.settled:
            return


@pytest.mark.parametrize("held", [50, 99])
def test_another_programs_transaction_that_pays_too_little_is_replaced_after_a_while(held: int) -> None:
    """It blocked the wallet until the base fee fell; the simulation found it."""

    async def story() -> None:
        wallet = Wallet()
        wait_for_a_higher_fee(wallet, held)
        async with wallet.running() as pipeline:
            [entry] = await pipeline.submit([call(0)])
            assert entry.nonce == 1
            await mine(wallet, STUCK_AFTER_S)
            assert pipeline.status().fillers == 0, "the other program may replace it"
            await mine(wallet, 60)
            assert pipeline.status().fillers == 1
        assert [(each.nonce, each.state) for each in wallet.settled] == [(1, EntryState.MINED)]

    run(story())


def test_an_offer_below_what_the_stuck_transaction_pays_is_raised() -> None:
    async def story() -> None:
        wallet = Wallet()
        # The filler offers 201 first.
        wait_for_a_higher_fee(wallet, 220)
        wallet.node.base_fee = 100
        async with wallet.running() as pipeline:
            await pipeline.submit([call(0)])
            for _ in range(150):
                await asyncio.sleep(1)
                raw = wallet.node.pool.get(0)
                wallet.node.mine(0 if raw is not None and max_fee_of(raw) <= 220 else 1)
            assert pipeline.status().fillers == 1
        assert [each.nonce for each in wallet.settled] == [1]

    run(story())


def test_nothing_is_replaced_that_takes_its_turn() -> None:
    async def story() -> None:
        wallet = Wallet()
        held = wait_for_a_higher_fee(wallet, 50)
        async with wallet.running() as pipeline:
            await pipeline.submit([call(0)])
            await mine(wallet, STUCK_AFTER_S - 5)
            wallet.node.base_fee = 40
            await mine(wallet, 10)
            assert pipeline.status().fillers == 0
        assert wallet.node.mined[0][0] == held
        assert [each.nonce for each in wallet.settled] == [1]

    run(story())


def test_nothing_is_replaced_while_no_block_comes_or_the_cap_forbids_what_blocks_take() -> None:
    async def story(*, has_blocks: bool, cap: int) -> None:
        wallet = Wallet(policy=FeePolicy(cap=cap))
        held = wait_for_a_higher_fee(wallet, 50)
        async with wallet.running() as pipeline:
            await pipeline.submit([call(0)])
            if has_blocks:
                await mine(wallet, 3 * STUCK_AFTER_S)
            else:
                await asyncio.sleep(3 * STUCK_AFTER_S)
            assert pipeline.status().fillers == 0
        assert wallet.node.pool[0] == held

    run(story(has_blocks=False, cap=10**9))
    run(story(has_blocks=True, cap=90))


def test_an_entry_above_a_blocked_nonce_offers_no_more() -> None:
    async def story() -> None:
        wallet = Wallet()
        wait_for_a_higher_fee(wallet, 50)
        async with wallet.running() as pipeline:
            await pipeline.submit([call(0)])
            await mine(wallet, STUCK_AFTER_S - 1)
            assert pipeline.status().replacements == 0, "a higher fee wins nothing below which a nonce waits"

    run(story())


def test_a_displaced_entry_takes_the_place_of_what_displaced_it_once_that_is_stuck() -> None:
    async def story() -> None:
        wallet = Wallet()
        wait_for_a_higher_fee(wallet, 50)
        version = PlainSigner().sign(0, call(9), Offer(60, 1))
        wallet.journal.entries = {0: Entry(0, call(9), (version,), 0.0, EntryState.DISPLACED)}
        async with wallet.running() as pipeline:
            await pipeline.submit([call(0)])
            await mine(wallet, STUCK_AFTER_S - BLOCKED_AFTER_S)
            assert wallet.journal.entries[0].state is EntryState.DISPLACED
            await mine(wallet, 60)
        assert wallet.node.effects() == [b"", call(0).data], (
            "the work of the displaced entry has another nonce"
        )
        assert [each.nonce for each in wallet.settled] == [1]

    run(story())
