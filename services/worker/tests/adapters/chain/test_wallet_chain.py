"""The worker's transactions: each is sent once, and only the chain's word fails the work."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from workerpool_poco.errors import ChainUnreachable
from workerpool_poco.protocol.authorization import WorkerpoolAuthorization
from workerpool_poco.protocol.ids import Address
from workerpool_poco.protocol.model import Block
from workerpool_transactions.domain.answers import GasEstimate, SendAnswer, SendOutcome
from workerpool_transactions.domain.entry import Call, EntryState
from workerpool_transactions.domain.fees import FeePolicy
from workerpool_worker.adapters.chain.wallet_chain import WalletChain
from workerpool_worker.domain.prechecks import CONTRIBUTE_GAS, REVEAL_GAS
from workerpool_worker.domain.updates import Receipt
from workerpool_worker.domain.wallet.gas import ESTIMATES
from workerpool_worker.domain.wallet.transactions import TransactionKind, label
from workerpool_worker.errors import (
    ChainUnavailable,
    RevertForeseen,
    TransactionRefused,
    TransactionUnconfirmed,
    WalletOutOfGas,
)

from libs.transactions.tests.doubles.node import ScriptedNode
from libs.transactions.tests.doubles.virtual_time import run
from libs.transactions.tests.doubles.wallet import HUB, WALLET, Wallet
from services.worker.tests.harness.builders import TASK_ID, assignment

REVEAL = label(TransactionKind.REVEAL, TASK_ID)
CONTRIBUTE = label(TransactionKind.CONTRIBUTE, TASK_ID)
DIGEST = b"\x02" * 32


@dataclass
class EstimatingNode(ScriptedNode):
    """Answers estimates as the test says; the default is 80,000 gas at the newest block."""

    estimates: list[GasEstimate | Exception] = field(default_factory=list)
    estimated: int = 0

    async def estimate(self, calls: Sequence[Call]) -> list[GasEstimate]:
        self.estimated += 1
        answer = self.estimates.pop(0) if self.estimates else GasEstimate(80_000, self.block)
        if isinstance(answer, Exception):
            raise answer
        return [answer]


class Hub:
    """A hub client whose node may be behind."""

    hub_address: Address = HUB

    def __init__(self, node: ScriptedNode) -> None:
        self._node = node
        self.lag = 0

    async def block_number(self) -> int:
        return self._node.block - self.lag


class Heads:
    """Heads that the test's node announces."""

    def __init__(self, wallet: Wallet) -> None:
        self._wallet = wallet

    @property
    def latest(self) -> Block:
        return self._wallet.head()

    async def wait_change(self, limit_s: float) -> bool:
        await asyncio.sleep(limit_s)
        return False


class Bench:
    """A wallet on a scripted node, and the worker's view of it."""

    def __init__(self, policy: FeePolicy = FeePolicy()) -> None:
        self.wallet = Wallet(policy=policy)
        self.node = self.wallet.node = EstimatingNode()
        self.hub = Hub(self.node)

    def chain(self, pipeline: Any) -> WalletChain:
        hub: Any = self.hub
        heads: Any = Heads(self.wallet)
        return WalletChain(
            hub,
            heads,
            pipeline,
            journal=self.wallet.journal,
            node=self.node,
            policy=self.wallet.policy,
            wallet=WALLET,
            workerpool=HUB,
        )

    async def pooled(self) -> None:
        """Wait until the node has a transaction, and mine it."""
        await self.wallet.until(lambda: bool(self.node.pool))
        self.node.mine()


def story(told: Callable[[Bench], Coroutine[Any, Any, None]], **options: Any) -> None:
    run(told(Bench(**options)))


def authorization() -> WorkerpoolAuthorization:
    return assignment().authorization


def test_a_transaction_is_labelled_and_its_receipt_returned() -> None:
    async def told(bench: Bench) -> None:
        async with bench.wallet.running() as pipeline:
            chain = bench.chain(pipeline)
            sending = asyncio.create_task(chain.contribute(authorization(), b"\x01" * 32, b"\x03" * 32))
            await bench.pooled()
            receipt = await sending
            (entry,) = await bench.wallet.journal.labelled(CONTRIBUTE)
            assert entry.receipt is not None
            assert receipt == Receipt(2, entry.receipt.hash)
            assert entry.call.gas == CONTRIBUTE_GAS
            assert await chain.last_sent(TransactionKind.CONTRIBUTE, TASK_ID) == entry.receipt.hash
            assert await chain.last_sent(TransactionKind.REVEAL, TASK_ID) == ""

    story(told)


def test_a_repeated_call_awaits_the_transaction_in_flight() -> None:
    async def told(bench: Bench) -> None:
        async with bench.wallet.running() as pipeline:
            first = asyncio.create_task(bench.chain(pipeline).reveal(TASK_ID, DIGEST))
            await bench.wallet.until(lambda: bool(bench.node.pool))
            first.cancel()
        async with bench.wallet.running() as pipeline:
            again = asyncio.create_task(bench.chain(pipeline).reveal(TASK_ID, DIGEST))
            await bench.pooled()
            receipt = await again
            assert receipt == await bench.chain(pipeline).reveal(TASK_ID, DIGEST), (
                "mined, and requested again"
            )
        assert len(bench.wallet.journal.entries) == len(bench.node.effects()) == 1

    story(told)


def test_a_receipt_that_never_comes_ends_the_wait_and_not_the_transaction() -> None:
    """Scenario 23: the receipt never becomes final (timeout)."""

    async def told(bench: Bench) -> None:
        async with bench.wallet.running() as pipeline:
            chain = bench.chain(pipeline)
            with pytest.raises(TransactionUnconfirmed, match="is not mined yet"):
                await chain.reveal(TASK_ID, DIGEST)
            again = asyncio.create_task(chain.reveal(TASK_ID, DIGEST))
            await bench.pooled()
            assert (await again).block_number == 2
        assert len(bench.wallet.journal.entries) == len(bench.node.effects()) == 1, "the same transaction"

    story(told)


def test_a_mined_transaction_that_a_reorganisation_removed_is_awaited_again() -> None:
    async def told(bench: Bench) -> None:
        async with bench.wallet.running() as pipeline:
            chain = bench.chain(pipeline)
            first = asyncio.create_task(chain.reveal(TASK_ID, DIGEST))
            await bench.pooled()
            await first
            bench.node.reorganise(1)
            again = asyncio.create_task(chain.resume(TransactionKind.REVEAL, TASK_ID))
            await bench.pooled()
            assert await again is not None
            assert len(set(bench.node.sent)) == 1, "the same bytes"

    story(told)


def test_the_transaction_of_an_aborted_replicate_is_still_delivered() -> None:
    async def told(bench: Bench) -> None:
        bench.node.is_down = False
        async with bench.wallet.running() as pipeline:
            aborted = asyncio.create_task(bench.chain(pipeline).reveal(TASK_ID, DIGEST))
            await bench.wallet.until(lambda: bool(bench.wallet.journal.entries))
            aborted.cancel()
            await bench.pooled()
            await bench.wallet.until(lambda: not bench.wallet.journal.entries[0].is_live)
            assert bench.wallet.journal.entries[0].state is EntryState.MINED

    story(told)


def test_a_refusal_of_the_node_does_not_fail_the_call() -> None:
    refusals = [
        outcome
        for outcome in SendOutcome
        if outcome not in (SendOutcome.ACCEPTED, SendOutcome.INVALID, SendOutcome.NONCE_TOO_LOW)
    ]

    async def told(bench: Bench) -> None:
        bench.node.answers.extend(SendAnswer(outcome, outcome.value) for outcome in refusals)
        async with bench.wallet.running() as pipeline:
            chain = bench.chain(pipeline)

            async def patient() -> Receipt:
                while True:
                    try:
                        return await chain.reveal(TASK_ID, DIGEST)
                    except (TransactionUnconfirmed, WalletOutOfGas):
                        continue

            sending = asyncio.create_task(patient())
            await bench.pooled()
            await sending
        assert len(bench.node.effects()) == 1

    story(told)


def test_a_reverted_transaction_is_refused_and_the_next_call_sends_another() -> None:
    """Scenario 23: revert."""

    async def told(bench: Bench) -> None:
        async with bench.wallet.running() as pipeline:
            chain = bench.chain(pipeline)
            first = asyncio.create_task(chain.reveal(TASK_ID, DIGEST))
            await bench.wallet.until(lambda: bool(bench.node.pool))
            bench.node.reverts |= set(bench.node.pool.values())
            bench.node.mine()
            with pytest.raises(TransactionRefused, match="was mined in block 2 and reverted"):
                await first
            assert await chain.resume(TransactionKind.REVEAL, TASK_ID) is None
            second = asyncio.create_task(chain.reveal(TASK_ID, DIGEST))
            await bench.pooled()
            assert (await second).block_number == 3

    story(told)


def test_a_displaced_transaction_is_planned_again() -> None:
    async def told(bench: Bench) -> None:
        async with bench.wallet.running() as pipeline:
            sending = asyncio.create_task(bench.chain(pipeline).reveal(TASK_ID, DIGEST))
            await bench.wallet.until(lambda: bool(bench.node.pool))
            bench.node.use_nonce()
            await bench.wallet.until(lambda: 1 in bench.node.pool, 60)
            bench.node.mine()
            await bench.wallet.until(sending.done, 60)
            await sending
        states = [each.state for each in await bench.wallet.journal.labelled(REVEAL)]
        assert states == [EntryState.DISPLACED, EntryState.MINED]

    story(told)


# --- estimates -----------------------------------------------------------------------------------


def test_an_estimate_above_the_fixed_bound_raises_the_limit() -> None:
    async def told(bench: Bench) -> None:
        bench.node.estimates = [GasEstimate(200_000, 1)]
        async with bench.wallet.running() as pipeline:
            sending = asyncio.create_task(bench.chain(pipeline).reveal(TASK_ID, DIGEST))
            await bench.pooled()
            await sending
        assert bench.wallet.journal.entries[0].call.gas == 300_000

    story(told)


def test_a_revert_of_an_estimate_counts_only_when_repeated() -> None:
    async def told(bench: Bench) -> None:
        bench.node.estimates = [GasEstimate(None, 1, "early"), GasEstimate(None, 1, "not revealing")]
        async with bench.wallet.running() as pipeline:
            with pytest.raises(RevertForeseen, match="not revealing"):
                await bench.chain(pipeline).reveal(TASK_ID, DIGEST)
            assert bench.node.estimated == 2
            assert bench.wallet.journal.entries == {}
            sending = asyncio.create_task(bench.chain(pipeline).reveal(TASK_ID, DIGEST, foresee=False))
            await bench.pooled()
            await sending
        assert bench.node.estimated == 2, "the chain has the last word"
        assert bench.wallet.journal.entries[0].call.gas == REVEAL_GAS

    story(told)


def test_reverts_of_a_node_that_lags_do_not_count() -> None:
    async def told(bench: Bench) -> None:
        bench.node.block = 9
        bench.node.estimates = [GasEstimate(None, 5, "stale")] * ESTIMATES
        async with bench.wallet.running() as pipeline:
            sending = asyncio.create_task(bench.chain(pipeline).reveal(TASK_ID, DIGEST))
            await bench.pooled()
            await sending
        assert bench.wallet.journal.entries[0].call.gas == REVEAL_GAS, "the fixed bound"

    story(told)


def test_an_outage_during_the_estimate_is_not_a_refusal() -> None:
    """Scenario 23: the node does not answer."""

    async def told(bench: Bench) -> None:
        bench.node.estimates = [ChainUnreachable("HTTP 429 Too Many Requests")]
        async with bench.wallet.running() as pipeline:
            with pytest.raises(ChainUnavailable, match="429"):
                await bench.chain(pipeline).reveal(TASK_ID, DIGEST)

    story(told)


def test_an_interrupted_submission_is_not_journaled_after_an_outage() -> None:
    """The node is away, so nothing is signed: an aborted replicate must not send later."""

    async def told(bench: Bench) -> None:
        async with bench.wallet.running() as pipeline:
            chain = bench.chain(pipeline)
            sending = asyncio.create_task(chain.reveal(TASK_ID, DIGEST))
            bench.node.is_down = True
            with pytest.raises(ChainUnavailable, match="is not signed yet"):
                await sending
            bench.node.is_down = False
            await asyncio.sleep(60)
        assert bench.wallet.journal.entries == {}

    story(told)


# --- the wallet's coins --------------------------------------------------------------------------


def test_a_wallet_without_coins_waits_until_it_is_funded() -> None:
    async def told(bench: Bench) -> None:
        empty = SendAnswer(SendOutcome.NO_FUNDS, "insufficient funds for gas * price + value")
        bench.node.refuse = lambda raw: empty
        async with bench.wallet.running() as pipeline:
            chain = bench.chain(pipeline)
            with pytest.raises(WalletOutOfGas, match="waits: "):
                await chain.reveal(TASK_ID, DIGEST)
            bench.node.refuse = lambda raw: None
            await bench.pooled()
            assert await chain.reveal(TASK_ID, DIGEST) is not None
        assert len(bench.wallet.journal.entries) == 1

    story(told)


@pytest.mark.parametrize(
    ("funds", "policy", "pays"),
    [
        (101 * CONTRIBUTE_GAS, FeePolicy(), True),
        (101 * CONTRIBUTE_GAS - 1, FeePolicy(), False),
        (50 * CONTRIBUTE_GAS, FeePolicy(cap=50), True),
        (0, FeePolicy(cap=0), True),
        (0, FeePolicy(multiplier=0), True),
    ],
    ids=["just enough", "too little", "capped", "cap 0", "multiplier 0"],
)
def test_the_gas_is_paid_at_todays_price(funds: int, policy: FeePolicy, pays: bool) -> None:
    async def told(bench: Bench) -> None:
        bench.node.funds = funds
        async with bench.wallet.running() as pipeline:
            assert await bench.chain(pipeline).can_pay(CONTRIBUTE_GAS) is pays

    story(told, policy=policy)


# --- blocks --------------------------------------------------------------------------------------


def test_a_block_of_the_scheduler_is_awaited_at_the_workers_own_node() -> None:
    async def told(bench: Bench) -> None:
        bench.node.block, bench.hub.lag = 9, 4
        async with bench.wallet.running() as pipeline:
            chain = bench.chain(pipeline)
            assert chain.head == 9
            assert not await chain.wait_block(9, 10)
            bench.hub.lag = 0
            assert await chain.wait_block(9, 10)

    story(told)
