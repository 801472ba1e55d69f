"""The wallet's funds and nonces."""

from dataclasses import dataclass

from workerpool_kit.clock import Clock
from workerpool_kit.logs import get_logger
from workerpool_poco.errors import PocoError
from workerpool_poco.protocol.ids import Address

from workerpool_chain_adapter import metrics
from workerpool_chain_adapter.app.ports import WalletChain
from workerpool_chain_adapter.domain.fees import GasPolicy
from workerpool_chain_adapter.errors import ChainUnavailable

log = get_logger()

GAS_PER_TRANSACTION = 500_000
"""Upper bound of a finalization with a few workers."""

_FEW_TRANSACTIONS = 10
_REFRESH_S = 5.0


@dataclass(frozen=True)
class WalletState:
    """The wallet on chain: `balance` in wei, transaction counts mined and including the node's pool."""

    address: Address
    balance: int
    mined: int
    pending: int


class Funds:
    """The wallet's balance, read at most every few seconds, compared with the gas price."""

    def __init__(self, chain: WalletChain, policy: GasPolicy, clock: Clock, *, sidechain: bool) -> None:
        self._chain = chain
        self._policy = policy
        self._clock = clock
        self._gas_is_free = sidechain or policy.is_free
        self._read_at = 0.0
        self._affordable: int | None = None

    def can_pay(self) -> bool:
        """Return whether the wallet can pay for at least one transaction at the current gas price."""
        return self._affordable is None or self._affordable > 0

    async def refresh(self) -> None:
        """Read balance and gas price again unless they are a few seconds old. Raises ChainUnreachable."""
        if 0 <= self._clock.now() - self._read_at < _REFRESH_S:
            return
        balance = await self._chain.balance()
        metrics.BALANCE_WEI.set(balance)
        price = self._policy.price(await self._chain.network_price())
        self._read_at = self._clock.now()
        before = self._affordable
        if self._gas_is_free or price == 0:
            return
        self._affordable = balance // (GAS_PER_TRANSACTION * price)
        if self._affordable < _FEW_TRANSACTIONS and (before is None or before >= _FEW_TRANSACTIONS):
            log.warning(
                "wallet.funds_ran_low",
                wallet=self._chain.address,
                balance_wei=balance,
                affordable_transactions=self._affordable,
            )

    async def wallet(self) -> WalletState:
        """Read the wallet from the chain now. Raises ChainUnavailable."""
        try:
            balance = await self._chain.balance()
            mined, pending = await self._chain.counts()
        except PocoError as error:
            raise ChainUnavailable(f"cannot read the wallet: {error}; try again later") from error
        return WalletState(self._chain.address, balance, mined, pending)
