"""Reads the contribution weights of workers from the chain."""

import asyncio
from collections.abc import Callable

from workerpool_kit.logs import get_logger
from workerpool_kit.retry import Backoff
from workerpool_poco.errors import PocoError
from workerpool_poco.protocol.consensus import weight_from_score

from workerpool_core.app.ports import TaskStateSource
from workerpool_core.domain.decisions import ReadWeight
from workerpool_core.domain.events import WeightsRead

log = get_logger()

_BACKOFF = Backoff(first_s=0.2, longest_s=1.0)
_MAX_BATCH = 200
_BATCH_DELAY_S = 0.05
"""Seconds for which requests accumulate: thousands of workers may reconnect at once, and one read serves many."""


class WeightReader:
    """Carry out `ReadWeight`. Each request is answered once, as soon as the node answers.

    A wallet with less than `lowest_balance` (wei) cannot pay for its contribution. Its weight counts as 0, so it gets
    no work until a later read finds it funded.
    """

    def __init__(
        self, hub: TaskStateSource, answer: Callable[[WeightsRead], None], *, lowest_balance: int = 0
    ) -> None:
        self._hub = hub
        self._answer = answer
        self._lowest_balance = lowest_balance
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
                    weights = await self._read(wallets)
                except PocoError as error:
                    log.warning("weights.read_failed", wallets=len(wallets), error=str(error))
                    await pauses.sleep()
                    continue
                pauses.reset()
                for wallet in wallets:
                    del self._waiting[wallet]
                self._answer(WeightsRead(tuple(zip(wallets, weights, strict=True))))

    async def _read(self, wallets: list[str]) -> list[int]:
        weights = [weight_from_score(score) for score in await self._hub.view_scores(wallets)]
        if not self._lowest_balance:
            return weights
        balances = await self._hub.balances(wallets)
        return [
            weight if self._can_pay(wallet, balance) else 0
            for wallet, weight, balance in zip(wallets, weights, balances, strict=True)
        ]

    def _can_pay(self, wallet: str, balance: int) -> bool:
        if balance >= self._lowest_balance:
            self._without_gas.discard(wallet)
            return True
        if wallet not in self._without_gas:
            self._without_gas.add(wallet)
            log.warning(
                "worker.without_gas", wallet=wallet, balance_wei=balance, needs_wei=self._lowest_balance
            )
        return False
