"""The pool owner's wallet, stake and transactions, read from the chain adapter and the node within a deadline."""

import asyncio
from dataclasses import dataclass

from workerpool_poco.errors import PocoError
from workerpool_poco.protocol.ids import Address
from workerpool_poco.protocol.model import Account

from workerpool_core.app.ports import (
    AccountSource,
    CommandPage,
    CommandQuery,
    TransactionCommand,
    TransactionJournal,
    WalletState,
)
from workerpool_core.errors import AdapterUnavailable

_NODE_LIMIT_S = 2.0
"""Seconds for an answer of the node, because a person waits for it."""
MAX_OF_TASK = 20
"""Most commands of one task to read; a task has at most one of each kind."""


@dataclass(frozen=True, slots=True)
class WalletNow:
    """The current state of the wallet; a part that could not be read is None, and its problem says why.

    `account` is its stake in the hub (nRLC), read from the node together with `balance_wei`.
    """

    owner: Address
    wallet: WalletState | None
    wallet_problem: str
    account: Account | None
    balance_wei: int
    account_problem: str


@dataclass(frozen=True, slots=True)
class TaskTransactions:
    """The commands of one task, oldest first; `problem` says why they are unknown."""

    commands: list[TransactionCommand]
    problem: str = ""


class PoolWallet:
    """Queries of the wallet `owner`, which owns the pool and signs its transactions."""

    def __init__(
        self,
        journal: TransactionJournal,
        accounts: AccountSource,
        owner: Address,
        *,
        node_limit_s: float = _NODE_LIMIT_S,
    ) -> None:
        self._journal = journal
        self._accounts = accounts
        self._owner = owner
        self._node_limit_s = node_limit_s

    async def now(self) -> WalletNow:
        """Return the answers of adapter and node, read concurrently and independently."""
        (wallet, wallet_problem), (account, balance, account_problem) = await asyncio.gather(
            self._wallet(), self._account()
        )
        return WalletNow(self._owner, wallet, wallet_problem, account, balance, account_problem)

    async def transactions(self, query: CommandQuery, page_token: str, size: int) -> CommandPage:
        """Return one page of commands, newest first. Raises AdapterUnavailable or BadPageToken."""
        return await self._journal.commands(query, page_token, size)

    async def of_task(self, task_id: str) -> TaskTransactions:
        """Return the commands of a task, oldest first, or why they are unknown."""
        try:
            page = await self._journal.commands(CommandQuery(task_id=task_id), "", MAX_OF_TASK)
        except AdapterUnavailable as error:
            return TaskTransactions([], error.message)
        return TaskTransactions(sorted(page.commands, key=lambda command: command.created_at))

    async def _wallet(self) -> tuple[WalletState | None, str]:
        try:
            return await self._journal.wallet(), ""
        except AdapterUnavailable as error:
            return None, error.message

    async def _account(self) -> tuple[Account | None, int, str]:
        try:
            async with asyncio.timeout(self._node_limit_s):
                accounts, balances = await asyncio.gather(
                    self._accounts.view_accounts([self._owner]), self._accounts.balances([self._owner])
                )
        except TimeoutError:
            return None, 0, f"the node did not answer within {self._node_limit_s:g} s; check the node"
        except PocoError as error:
            return None, 0, f"the node did not answer: {error}"
        return accounts[0], balances[0], ""
