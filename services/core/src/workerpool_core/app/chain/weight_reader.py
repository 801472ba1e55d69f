"""Batched reads of the contribution weights and free stakes of workers from the chain."""

import asyncio
from collections.abc import Callable

from workerpool_kit.logs import get_logger
from workerpool_kit.retry import Backoff
from workerpool_poco.errors import PocoError
from workerpool_poco.protocol.consensus import weight_from_score
from workerpool_transactions.domain.balance import min_balance

from workerpool_core.app.ports import TaskStateSource
from workerpool_core.domain.decisions import ReadWeight
from workerpool_core.domain.events import WeightsRead

log = get_logger()

_BACKOFF = Backoff(first_s=0.2, longest_s=1.0)
_MAX_BATCH = 200
_BATCH_DELAY_S = 0.05
"""Seconds for which requests accumulate: thousands of workers may reconnect together, and one read serves many."""


class WeightReader:
    """The executor of `ReadWeight`; it answers each request once, as soon as the node answers.

    A wallet that cannot pay for ten of its transactions at the current gas price gets no work: its weight counts as 0
    until a later read finds enough balance. `gas_price_cap` (wei) is the highest price that workers pay; with 0 every
    wallet gets work.
    """

    def __init__(
        self, hub: TaskStateSource, answer: Callable[[WeightsRead], None], *, gas_price_cap: int = 0
    ) -> None:
        self._hub = hub
        self._answer = answer
        self._gas_price_cap = gas_price_cap
        self._without_gas: set[str] = set()
        self._waiting: dict[str, None] = {}
        self._requested = asyncio.Event()

    def request(self, wanted: ReadWeight) -> None:
        """Queue a read."""
        self._waiting[wanted.wallet] = None
        self._requested.set()

    async def run(self) -> None:
        """Answer requests until cancelled; they wait while the node is down."""
        pauses = _BACKOFF.steps()
        while True:
            await self._requested.wait()
            await asyncio.sleep(_BATCH_DELAY_S)
            self._requested.clear()
            while wallets := list(self._waiting)[:_MAX_BATCH]:
                try:
                    weights, stakes = await asyncio.gather(self._read(wallets), self._read_stakes(wallets))
                except PocoError as error:
                    log.warning("weights.read_failed", wallets=len(wallets), error=str(error))
                    await pauses.sleep()
                    continue
                pauses.reset()
                for wallet in wallets:
                    del self._waiting[wallet]
                self._answer(
                    WeightsRead(
                        tuple(zip(wallets, weights, strict=True)), tuple(zip(wallets, stakes, strict=True))
                    )
                )

    async def _read(self, wallets: list[str]) -> list[int]:
        weights = [weight_from_score(score) for score in await self._hub.view_scores(wallets)]
        if not self._gas_price_cap:
            return weights
        price, balances = await asyncio.gather(self._hub.gas_price(), self._hub.balances(wallets))
        least = min_balance(min(price, self._gas_price_cap))
        return [
            weight if self._can_pay(wallet, balance, least) else 0
            for wallet, weight, balance in zip(wallets, weights, balances, strict=True)
        ]

    async def _read_stakes(self, wallets: list[str]) -> list[int]:
        return [account.stake for account in await self._hub.view_accounts(wallets)]

    def _can_pay(self, wallet: str, balance: int, least: int) -> bool:
        if balance >= least:
            self._without_gas.discard(wallet)
            return True
        if wallet not in self._without_gas:
            self._without_gas.add(wallet)
            log.warning("worker.gas_exhausted", wallet=wallet, balance_wei=balance, needs_wei=least)
        return False
