"""What the wallet can pay."""

from workerpool_kit.clock import Clock
from workerpool_kit.logs import get_logger

from workerpool_chain_adapter import metrics
from workerpool_chain_adapter.adapters.hub_chain import OwnerChain
from workerpool_chain_adapter.domain.fees import GasPolicy

log = get_logger()

GAS_OF_A_TRANSACTION = 500_000
"""A finalization with a few workers stays below this."""

_FEW_TRANSACTIONS = 10
_REFRESH_S = 5.0


class Funds:
    """The wallet's balance, read at most every few seconds, against the price of gas."""

    def __init__(self, chain: OwnerChain, policy: GasPolicy, clock: Clock, *, sidechain: bool) -> None:
        self._chain = chain
        self._policy = policy
        self._clock = clock
        self._gas_is_free = sidechain or policy.cap == 0
        self._read_at = 0.0
        self._affordable: int | None = None

    def can_pay(self) -> bool:
        """Tell whether the wallet can pay for at least one transaction at the present price."""
        return self._affordable is None or self._affordable > 0

    async def refresh(self) -> None:
        """Read the balance and the price again, unless they are fresh enough."""
        if 0 <= self._clock.now() - self._read_at < _REFRESH_S:
            return
        balance = await self._chain.balance()
        metrics.BALANCE_WEI.set(balance)
        price = self._policy.price(await self._chain.network_price())
        self._read_at = self._clock.now()
        before = self._affordable
        if self._gas_is_free or price == 0:
            return
        self._affordable = balance // (GAS_OF_A_TRANSACTION * price)
        if self._affordable < _FEW_TRANSACTIONS and (before is None or before >= _FEW_TRANSACTIONS):
            log.warning(
                "wallet.low_funds", wallet=self._chain.address, balance_wei=balance, left=self._affordable
            )
