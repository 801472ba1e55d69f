"""An empty wallet: the worker accepts no work, says why, and resumes once the wallet is funded."""

from dataclasses import replace

import pytest
from workerpool_kit.dependencies.report import DependencyProblem
from workerpool_transactions.app.status import Status
from workerpool_transactions.domain.fees import FeePolicy
from workerpool_transactions.domain.profile import Shape
from workerpool_worker.adapters.chain.wallet_funds import WalletFunds

from libs.transactions.tests.doubles.node import ScriptedNode

UNREAD = Status(
    shape=Shape.SEQUENCER,
    in_flight=0,
    oldest_unmined_s=0.0,
    replacements=0,
    fillers=0,
    mined_nonce=0,
    next_nonce=None,
    parked_reason="",
    balance=None,
    price=None,
    transactions_left=None,
)
GWEI = 10**9


class Wallet:
    """A wallet and what its pipeline last read."""

    def __init__(self, funds: int, policy: FeePolicy = FeePolicy(multiplier=1.3)) -> None:
        self.node = ScriptedNode(base_fee=GWEI // 10, funds=funds)
        self.status = UNREAD
        self.funds = WalletFunds(self.node, policy, lambda: self.status)

    async def problem(self) -> str:
        text = ""
        try:
            await self.funds.probe()
        except DependencyProblem as problem:
            text = str(problem)
        assert text == self.funds.problem
        return text


async def test_half_a_thousandth_of_a_coin_suffices_at_a_tenth_of_a_gwei() -> None:
    assert await Wallet(5 * 10**14 + 10**12).problem() == ""


async def test_an_empty_wallet_is_read_until_it_has_coins() -> None:
    wallet = Wallet(10**14)
    assert "the wallet has 100000000000000 wei and 10 transactions cost" in await wallet.problem()
    wallet.status = replace(UNREAD, balance=10**14, price=GWEI // 10)
    assert await wallet.problem() != ""
    wallet.node.funds = 10**18
    assert await wallet.problem() == ""
    assert await wallet.problem() == "", "although the pipeline has not read the new balance yet"


async def test_the_node_is_not_queried_while_the_pipeline_reads_the_balance() -> None:
    wallet = Wallet(0)
    wallet.status = replace(UNREAD, balance=10**18, price=GWEI)
    assert await wallet.problem() == ""
    assert wallet.node.calls == []
    wallet.status = replace(UNREAD, balance=0, price=GWEI)
    assert await wallet.problem() != ""


async def test_a_reason_that_blocks_transactions_stops_new_work() -> None:
    wallet = Wallet(10**18)
    wallet.status = replace(UNREAD, parked_reason="the node wants more than the gas price cap")
    assert "cap" in await wallet.problem()
    wallet.status = UNREAD
    assert await wallet.problem() == ""


@pytest.mark.parametrize("policy", [FeePolicy(cap=0), FeePolicy(multiplier=0)], ids=["cap 0", "multiplier 0"])
async def test_free_gas_needs_no_coins(policy: FeePolicy) -> None:
    """Scenario 26: gas that costs nothing is ignored."""
    assert await Wallet(0, policy).problem() == ""


async def test_an_outage_of_the_node_keeps_the_judgement() -> None:
    """Scenario 26: an error of the balance leaves the last judgement."""
    rich, poor = Wallet(10**18), Wallet(0)
    assert await poor.problem() != ""
    rich.node.is_down = poor.node.is_down = True
    assert await rich.problem() == ""
    assert await poor.problem() != ""
