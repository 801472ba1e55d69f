"""A refused send steers the queue; it never fails the work."""

import asyncio

import pytest
from workerpool_poco.errors import ChainUnreachable
from workerpool_transactions.domain.answers import SendAnswer, SendOutcome
from workerpool_transactions.domain.entry import EntryState
from workerpool_transactions.domain.fees import FeePolicy
from workerpool_transactions.domain.profile import Shape

from libs.transactions.tests.doubles.node import max_fee_of, nonce_of
from libs.transactions.tests.doubles.virtual_time import run
from libs.transactions.tests.doubles.wallet import Wallet, call


def below_the_base_fee(wallet: Wallet) -> None:
    """Have the node refuse offers below the base fee, as sequencers do."""

    def refuse(raw: bytes) -> SendAnswer | None:
        too_low = max_fee_of(raw) < (wallet.node.base_fee or 0)
        return (
            SendAnswer(SendOutcome.FEE_TOO_LOW, "max fee per gas less than block base fee")
            if too_low
            else None
        )

    wallet.node.refuse = refuse


@pytest.mark.parametrize("shape", [Shape.MEMPOOL, Shape.SEQUENCER])
def test_a_fee_that_is_too_low_signs_the_same_nonces_again_at_once(shape: Shape) -> None:
    async def story() -> None:
        wallet = Wallet(shape)
        below_the_base_fee(wallet)
        wallet.node.mines_at_once = True
        async with wallet.running() as pipeline:
            await pipeline.submit([call(n) for n in range(10)])
            wallet.node.base_fee = 1_000
            assert await wallet.until(lambda: len(wallet.settled) == 10) < 1
        assert wallet.node.effects() == [call(n).data for n in range(10)]
        assert len(wallet.node.sent) == 11, "one refusal renews all that wait"
        assert all(each.state is EntryState.MINED for each in wallet.settled)

    run(story())


def test_a_node_that_wants_more_than_its_header_says_is_asked_by_one_transaction() -> None:
    async def story() -> None:
        wallet = Wallet()
        wallet.node.mines_at_once = True

        def refuse(raw: bytes) -> SendAnswer | None:
            return SendAnswer(SendOutcome.FEE_TOO_LOW, "underpriced") if max_fee_of(raw) < 400 else None

        wallet.node.refuse = refuse
        async with wallet.running() as pipeline:
            await pipeline.submit([call(n) for n in range(40)])
            await wallet.until(lambda: len(wallet.settled) == 40)
        assert len(wallet.node.sent) < 50
        assert {len(each.versions) for each in wallet.settled[1:]} == {2}

    run(story())


def test_a_fee_above_the_cap_parks_the_wallet_until_it_falls() -> None:
    async def story() -> None:
        wallet = Wallet(policy=FeePolicy(1.0, cap=500))
        below_the_base_fee(wallet)
        wallet.node.mines_at_once = True
        async with wallet.running() as pipeline:
            wallet.node.base_fee = 1_000
            await pipeline.submit([call(0), call(1)])
            await wallet.until(lambda: pipeline.status().parked_reason != "")
            assert "cap of 500" in pipeline.status().parked_reason
            await asyncio.sleep(3600)
            assert wallet.settled == []
            assert len(wallet.node.sent) < 3600, "a parked wallet tries every few seconds"
            wallet.node.base_fee = 400
            assert await wallet.until(lambda: len(wallet.settled) == 2) < 10
            assert pipeline.status().parked_reason == ""
        assert max(map(max_fee_of, wallet.node.sent)) <= 500

    run(story())


def test_a_refused_price_of_zero_says_what_to_do() -> None:
    async def story() -> None:
        wallet = Wallet(Shape.FREE, FeePolicy(0, 0))
        wallet.node.refuse = lambda _: SendAnswer(SendOutcome.FEE_TOO_LOW, "underpriced")
        async with wallet.running() as pipeline:
            await pipeline.submit([call(0)])
            await wallet.until(lambda: "price of 0" in pipeline.status().parked_reason)
            assert set(map(max_fee_of, wallet.node.sent)) == {0}

    run(story())


def test_a_dry_wallet_parks_says_so_and_continues_when_it_is_funded() -> None:
    async def story() -> None:
        wallet = Wallet()
        wallet.node.mines_at_once = True
        wallet.node.refuse = lambda _: SendAnswer(
            SendOutcome.NO_FUNDS, "insufficient funds for gas * price + value"
        )
        async with wallet.running() as pipeline:
            await pipeline.submit([call(n) for n in range(3)])
            await wallet.until(lambda: "cannot pay" in pipeline.status().parked_reason)
            await asyncio.sleep(60)
            assert len(wallet.node.sent) < 20, "one try every few seconds"
            assert set(map(nonce_of, wallet.node.sent)) == {0}
            wallet.node.refuse = lambda _: None
            assert await wallet.until(lambda: len(wallet.settled) == 3) < 10
            assert pipeline.status().parked_reason == ""
        assert wallet.node.effects() == [call(n).data for n in range(3)]

    run(story())


@pytest.mark.parametrize(
    "trouble",
    [
        SendAnswer(SendOutcome.BUSY, "context deadline exceeded"),
        SendAnswer(SendOutcome.NONCE_TOO_HIGH, "nonce too high"),
        SendAnswer(SendOutcome.NONCE_TOO_LOW, "nonce too low"),
        SendAnswer(SendOutcome.INVALID, "exceeds block gas limit"),
        SendAnswer(SendOutcome.REPLACEMENT_TOO_LOW, "replacement transaction underpriced"),
        ChainUnreachable("502"),
        RuntimeError("an answer that no adapter expects"),
    ],
)
def test_after_any_single_trouble_the_same_bytes_are_sent_again(trouble: SendAnswer | Exception) -> None:
    async def story() -> None:
        wallet = Wallet()
        wallet.node.answers.append(trouble)
        wallet.node.mines_at_once = True
        async with wallet.running() as pipeline:
            [entry] = await pipeline.submit([call(0)])
            assert await wallet.until(lambda: len(wallet.settled) == 1) < 4
        assert wallet.node.sent == [entry.latest.raw] * 2
        assert wallet.settled[0].state is EntryState.MINED

    run(story())


def test_an_outage_is_answered_by_one_try_at_a_time_with_growing_pauses() -> None:
    async def story() -> None:
        wallet = Wallet()
        async with wallet.running() as pipeline:
            await pipeline.submit([call(n) for n in range(64)])
            await wallet.until(lambda: len(wallet.node.pool) == 64)
            wallet.node.pool.clear()
            wallet.node.is_down = True
            await asyncio.sleep(600)
            calls = len(wallet.node.calls)
            await asyncio.sleep(600)
            assert len(wallet.node.calls) - calls < 600 * 1.2
            wallet.node.is_down = False
            wallet.node.mines_at_once = True
            assert await wallet.until(lambda: len(wallet.settled) == 64) < 20

    run(story())


def test_a_missing_nonce_is_sent_first_and_wakes_those_behind_it() -> None:
    async def story() -> None:
        wallet = Wallet(Shape.SEQUENCER)
        node = wallet.node
        node.mines_at_once = True
        node.answers.append(SendAnswer(SendOutcome.BUSY, "context deadline exceeded"))

        def gap(raw: bytes) -> SendAnswer | None:
            return (
                SendAnswer(SendOutcome.NONCE_TOO_HIGH, "nonce too high")
                if nonce_of(raw) > len(node.mined)
                else None
            )

        node.refuse = gap
        async with wallet.running() as pipeline:
            await pipeline.submit([call(n) for n in range(20)])
            assert await wallet.until(lambda: len(wallet.settled) == 20) < 3
        assert node.effects() == [call(n).data for n in range(20)]

    run(story())


def test_a_call_that_the_nodes_refuse_for_good_is_replaced_by_an_empty_transfer() -> None:
    async def story() -> None:
        wallet = Wallet()
        node = wallet.node
        node.mines_at_once = True

        def refuse(raw: bytes) -> SendAnswer | None:
            is_bad = call(0).data.hex() in raw.decode().split(",")
            return SendAnswer(SendOutcome.INVALID, "exceeds block gas limit") if is_bad else None

        node.refuse = refuse
        async with wallet.running() as pipeline:
            await pipeline.submit([call(0), call(1)])
            assert await wallet.until(lambda: len(wallet.settled) == 2) < 15
        states = {each.nonce: each.state for each in wallet.settled}
        assert states == {0: EntryState.REFUSED, 1: EntryState.MINED}
        assert wallet.journal.entries[0].receipt is None
        assert wallet.journal.entries[0].latest.is_empty

    run(story())


def test_a_late_answer_does_not_hold_back_the_next_nonces() -> None:
    async def story() -> None:
        wallet = Wallet(Shape.SEQUENCER)
        wallet.node.answers_after_s = 12.0
        wallet.node.mines_at_once = True
        async with wallet.running() as pipeline:
            await pipeline.submit([call(n) for n in range(64)])
            assert await wallet.until(lambda: len(wallet.settled) == 64) < 20
        assert len(wallet.node.sent) == 64, "no send is repeated while its answer is awaited"

    run(story())


def test_a_send_without_an_answer_is_repeated_after_its_limit() -> None:
    async def story() -> None:
        wallet = Wallet()
        wallet.node.answers_after_s = 3600.0
        async with wallet.running() as pipeline:
            await pipeline.submit([call(0)])
            await wallet.until(lambda: len(wallet.node.sent) == 1)
            wallet.node.answers_after_s = 0.0
            wallet.node.mines_at_once = True
            assert 29 < await wallet.until(lambda: len(wallet.settled) == 1) < 32

    run(story())


def test_only_the_window_is_sent() -> None:
    async def story() -> None:
        wallet = Wallet(max_in_flight=8)
        async with wallet.running() as pipeline:
            await pipeline.submit([call(n) for n in range(20)])
            await asyncio.sleep(10)
            assert sorted(wallet.node.pool) == list(range(8))
            assert pipeline.room == 0
            wallet.node.mine(3)
            await wallet.until(lambda: sorted(wallet.node.pool) == list(range(3, 11)))

    run(story())
