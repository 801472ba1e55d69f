"""The view of the wallet for operators: its current state on chain, and that of its pipeline."""

from dataclasses import dataclass

from workerpool_poco.errors import PocoError
from workerpool_poco.protocol.ids import Address
from workerpool_transactions.app.pipeline import Pipeline
from workerpool_transactions.app.status import Status
from workerpool_transactions.domain.balance import transactions_left
from workerpool_transactions.domain.fees import FeePolicy
from workerpool_transactions.ports import Node

from workerpool_chain_adapter.errors import ChainUnavailable


@dataclass(frozen=True)
class WalletState:
    """The wallet: `balance` in wei, `price` in wei per unit of gas, nonces, and the state of its pipeline.

    `transactions_left` is the number of transactions that the balance pays for now; None when gas is free.
    """

    address: Address
    balance: int
    price: int
    transactions_left: int | None
    mined_nonce: int
    next_nonce: int
    pipeline: Status


class WalletView:
    """Reads of the wallet on request."""

    def __init__(self, address: Address, node: Node, pipeline: Pipeline, policy: FeePolicy) -> None:
        self._address = address
        self._node = node
        self._pipeline = pipeline
        self._policy = policy

    async def read(self) -> WalletState:
        """Return the wallet's state now. Raises ChainUnavailable."""
        try:
            counts = await self._node.counts()
            balance = await self._node.balance()
            price = self._policy.price(await self._node.quote())
        except PocoError as error:
            raise ChainUnavailable(f"cannot read the wallet: {error}; retry later") from error
        now = self._pipeline.status()
        return WalletState(
            self._address,
            balance,
            price,
            transactions_left(balance, price),
            counts.mined,
            max(counts.mined, counts.pending, now.next_nonce or 0),
            now,
        )
