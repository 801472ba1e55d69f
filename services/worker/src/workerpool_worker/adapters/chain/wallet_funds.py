"""Whether the worker's wallet can pay for work."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from workerpool_kit.dependencies.report import WRONG, DependencyProblem
from workerpool_poco.errors import ChainUnreachable
from workerpool_transactions.app.status import Status
from workerpool_transactions.domain.balance import MIN_TRANSACTIONS, is_dry, min_balance
from workerpool_transactions.domain.fees import FeePolicy
from workerpool_transactions.ports import Node


class WalletFunds:
    """Judges the wallet by its balance and by what its transactions wait for.

    A wallet without funds gets no new work; the worker resumes once the wallet has coins.
    """

    def __init__(self, node: Node, policy: FeePolicy, status: Callable[[], Status]) -> None:
        self._node = node
        self._policy = policy
        self._status = status
        self.problem = ""
        """Why the worker takes no work; empty while it does."""

    async def probe(self) -> None:
        """Return when the wallet can pay for ten of its own transactions. Raises `DependencyProblem`.

        It reads the node only while the balance is low or unknown; otherwise the pipeline reads the balance.
        """
        status = self._status()
        # The component `chain` reports an outage of the node. Keep the last judgement then.
        with suppress(ChainUnreachable):
            # What the pipeline waits for counts too, such as a fee above the cap.
            self.problem = await self._dryness(status.balance, status.price) or status.parked_reason
        if self.problem:
            raise DependencyProblem(self.problem, kind=WRONG)

    async def _dryness(self, balance: int | None, price: int | None) -> str:
        # A dry balance that the pipeline read may be old: coins may have arrived since.
        if not self.problem and balance is not None and price is not None and not is_dry(balance, price):
            return ""
        read, quote = await asyncio.gather(self._node.balance(), self._node.quote())
        return _dryness(read, self._policy.price(quote))


def _dryness(balance: int, price: int) -> str:
    if not is_dry(balance, price):
        return ""
    return (
        f"the wallet has {balance} wei and {MIN_TRANSACTIONS} transactions cost {min_balance(price)} wei at "
        f"today's gas price of {price} wei"
    )
