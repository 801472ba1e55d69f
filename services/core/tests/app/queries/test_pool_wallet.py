"""Wallet and transactions come from adapter and node; one that does not answer is named and keeps nothing back."""

import asyncio
from typing import Any

import pytest
from patience import PATIENCE_S
from workerpool_core.app.ports import CommandQuery, CommandState
from workerpool_core.app.queries.pool_wallet import PoolWallet
from workerpool_core.errors import AdapterUnavailable
from workerpool_poco.errors import PocoError

from services.core.tests.doubles.page_world import OWNER, Adapter, command

TASK = "0x" + "ab" * 32


@pytest.fixture
def adapter() -> Adapter:
    return Adapter()


def wallet_of(adapter: Adapter, accounts: Any = None, node_limit_s: float = PATIENCE_S) -> PoolWallet:
    accounts = accounts or adapter
    journal: Any = adapter
    return PoolWallet(journal, accounts, OWNER, node_limit_s=node_limit_s)


async def test_stake_balance_and_transactions_in_flight(adapter: Adapter) -> None:
    found = await wallet_of(adapter).now()
    assert (found.owner, found.wallet, found.account) == (OWNER, adapter.state, adapter.account)
    assert found.balance_wei == adapter.state.balance_wei
    assert (found.wallet_problem, found.account_problem) == ("", "")


async def test_an_adapter_that_is_down_is_named_beside_the_stake(adapter: Adapter) -> None:
    adapter.problem = "the chain adapter does not answer"
    found = await wallet_of(adapter).now()
    assert (found.wallet, found.wallet_problem, found.account) == (None, adapter.problem, adapter.account)
    of_task = await wallet_of(adapter).of_task(TASK)
    assert (of_task.commands, of_task.problem) == ([], adapter.problem)
    with pytest.raises(AdapterUnavailable):
        await wallet_of(adapter).transactions(CommandQuery(), "", 10)


class Node:
    """A node that fails, or that hangs without an error."""

    def __init__(self, error: Exception | None) -> None:
        self._error = error

    async def view_accounts(self, owners: Any) -> Any:
        if self._error is not None:
            raise self._error
        await asyncio.Event().wait()

    balances = view_accounts


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (PocoError("connection refused"), "the node did not answer: connection refused"),
        (None, "the node did not answer within 0.01 s; check the node"),
    ],
)
async def test_a_node_that_is_down_is_named_beside_the_wallet(
    adapter: Adapter, error: Exception | None, problem: str
) -> None:
    found = await wallet_of(adapter, Node(error), PATIENCE_S if error else 0.01).now()
    assert (found.account, found.account_problem, found.wallet) == (None, problem, adapter.state)


async def test_the_commands_of_a_task_are_reported_oldest_first(adapter: Adapter) -> None:
    first, second = command(TASK, 1), command(TASK, 2, state="FAILURE")
    adapter.known = [first, second, command("0x" + "cd" * 32, 3)]
    assert (await wallet_of(adapter).of_task(TASK)).commands == [first, second]
    page = await wallet_of(adapter).transactions(CommandQuery(CommandState.FAILURE), "", 10)
    assert page.commands == [second]
