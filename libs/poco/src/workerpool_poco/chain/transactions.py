"""A sender of one wallet's transactions: local nonces, many in flight, bounded gas price, receipts."""

import asyncio
import heapq
import math
import time
from typing import Self

from workerpool_poco.chain.heads import HeadStream
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.receipts import Receipt, ReceiptTimeout, ReceiptWatcher
from workerpool_poco.chain.rpc import quantity
from workerpool_poco.chain.transaction_errors import (
    GasPriceCapReached,
    NodeUnreachable,
    NonceTooLow,
    OutOfGas,
    ReplacementUnderpriced,
    Reverted,
    TransactionError,
    TransactionRejected,
    Underpriced,
    classify,
)
from workerpool_poco.chain.wallet import SignedTransaction, Transaction, Wallet
from workerpool_poco.errors import ChainUnreachable, RpcError
from workerpool_poco.protocol.contracts.calls import Call
from workerpool_poco.protocol.ids import to_hex

__all__ = [
    "DEFAULT_GAS_PRICE_CAP",
    "GAS_PER_TRANSACTION",
    "TRANSFER_GAS",
    "GasPriceCapReached",
    "NodeUnreachable",
    "NonceTooLow",
    "OutOfGas",
    "Receipt",
    "ReceiptTimeout",
    "ReplacementUnderpriced",
    "Reverted",
    "TransactionError",
    "TransactionRejected",
    "TransactionSender",
    "Underpriced",
]

DEFAULT_GAS_PRICE_CAP = 22 * 10**9
"""Wei per gas."""

_PRICE_CACHE_S = 1.0
"""Seconds for which a gas price of the node is cached."""

GAS_PER_TRANSACTION = 1_000_000
"""An upper bound of the gas of one protocol transaction, which a wallet's balance must cover."""

TRANSFER_GAS = 21_000
"""Gas of a transfer without data, the minimum of a transaction (Yellow Paper, G_transaction)."""

_MAX_ATTEMPTS = 3


class TransactionSender:
    """Signs and sends the transactions of one wallet without waiting until they are mined.

    The sender counts nonces itself, so that hundreds may be in flight; a wallet must have one sender at a time. A
    transaction has three steps, between which a caller may write a journal: `prepare` (reserves the nonce, signs),
    `send`, `wait_receipt`. `submit` does the first two, `execute` all.
    """

    def __init__(
        self,
        hub: HubClient,
        wallet: Wallet,
        *,
        gas_price_multiplier: float = 1.0,
        gas_price_cap: int = DEFAULT_GAS_PRICE_CAP,
        gas_margin: float = 1.2,
        heads: HeadStream | None = None,
    ) -> None:
        """Prepare, without a request to the node.

        Args:
            hub: a connected hub client.
            wallet: the signing wallet.
            gas_price_multiplier: factor on the network's gas price.
            gas_price_cap: highest gas price, in wei; 0 for a chain with free gas.
            gas_margin: factor on gas estimates.
            heads: a head stream; with it, receipts are read at each new head instead of by polling.
        """
        self.hub = hub
        self.wallet = wallet
        self._multiplier = gas_price_multiplier
        self._cap = gas_price_cap
        self._margin = gas_margin
        self._watcher = ReceiptWatcher(hub.rpc, hub.hub_address, heads)
        self._lock = asyncio.Lock()
        self._next: int | None = None
        self._released: list[int] = []
        self._in_flight: set[int] = set()
        self._nonce_of: dict[bytes, int] = {}
        self._unconfirmed: list[SignedTransaction] = []
        self._price: tuple[float, int] = (-math.inf, 0)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Stop waiting for receipts. Sent transactions stay in the node's pool."""
        await self._watcher.close()

    # --- the three steps -----------------------------------------------------

    async def prepare(self, call: Call) -> SignedTransaction:
        """Estimate gas, reserve the next nonce and sign, without sending.

        The caller must send a prepared transaction or pass it to `abandon`; until then later nonces cannot be mined.
        Raises `Reverted` when the contract would revert it now, `OutOfGas`, or `NodeUnreachable`.
        """
        gas = call.gas or await self.estimate_gas(call)
        price = await self.gas_price()
        async with self._lock:
            nonce = await self._take_nonce()
        return self._sign(call, nonce, price, gas)

    async def send(self, signed: SignedTransaction) -> bytes:
        """Send a signed transaction and return its hash; idempotent.

        Raises `NodeUnreachable` when the node's answer is unknown (send it again later), or a `TransactionError` when
        the node refuses it: its nonce is then free, and the caller must prepare a new transaction.
        """
        try:
            await self.hub.rpc.call("eth_sendRawTransaction", to_hex(signed.raw))
        except RpcError as error:
            problem = classify(error)
            if problem is not None and not await self._node_knows(signed.hash):
                await self._refused(signed.nonce, problem)
                raise problem from error
        self._in_flight.add(signed.nonce)
        self._nonce_of[signed.hash] = signed.nonce
        return signed.hash

    async def wait_receipt(self, transaction_hash: bytes, timeout: float = 120.0) -> Receipt:
        """Wait up to `timeout` seconds until a transaction is mined; raises `ReceiptTimeout`.

        A mined transaction may have failed; see `Receipt.succeeded`.
        """
        receipt = await self._watcher.wait(transaction_hash, timeout)
        nonce = self._nonce_of.pop(transaction_hash, None)
        if nonce is not None:
            self._in_flight.discard(nonce)
        return receipt

    async def submit(self, call: Call) -> bytes:
        """Prepare and send; take another nonce when another sender used the first one. Return the hash.

        After `NodeUnreachable` the transaction may be in flight: read the chain before submitting the call again.
        """
        for attempt in range(1, _MAX_ATTEMPTS + 1):
            signed = await self.prepare(call)
            # A cancelled caller must not leave a gap in the nonces.
            sending = asyncio.ensure_future(self._send_or_keep(signed))
            try:
                return await asyncio.shield(sending)
            except asyncio.CancelledError:
                sending.add_done_callback(lambda done: done.cancelled() or done.exception())
                raise
            except (NonceTooLow, ReplacementUnderpriced):
                if attempt == _MAX_ATTEMPTS:
                    raise
        raise AssertionError("unreachable")

    async def _send_or_keep(self, signed: SignedTransaction) -> bytes:
        try:
            return await self.send(signed)
        except ChainUnreachable:
            self._unconfirmed.append(signed)
            raise

    async def execute(self, call: Call, timeout: float = 120.0) -> Receipt:
        """Submit a call and wait for its receipt; raises `Reverted` when the mined transaction failed."""
        receipt = await self.wait_receipt(await self.submit(call), timeout)
        if not receipt.succeeded:
            raise Reverted(f"transaction {to_hex(receipt.transaction_hash)} failed on chain")
        return receipt

    async def abandon(self, signed: SignedTransaction) -> None:
        """Release the nonce of a prepared transaction that is not sent."""
        await self._release(signed.nonce)

    async def replace(self, signed: SignedTransaction) -> SignedTransaction:
        """Return the transaction signed with the same nonce at a higher price, as a replacement.

        The price rises by at least 12.5 %: OpenEthereum demands that, Geth, Besu and Nethermind 10 %. Raises
        `GasPriceCapReached`.
        """
        old = signed.transaction
        price = max(old.gas_price * 9 // 8 + 1, await self.gas_price())
        if price > self._cap:
            raise GasPriceCapReached(f"replacing needs {price} wei per gas; the cap is {self._cap}")
        return self.wallet.sign_transaction(
            Transaction(old.nonce, price, old.gas, old.to, old.value, old.data, old.chain_id)
        )

    async def sign_filler(self, nonce: int) -> SignedTransaction:
        """Return a signed empty transfer to the wallet itself, which fills the gap of an unused nonce.

        Transactions with a higher nonce are not mined before the gap is filled. A filler is the cheapest transaction
        (`TRANSFER_GAS` at `gas_price`). It is not sent, and the nonce is not reserved. When the node holds another
        transaction with this nonce, only `replace` of the filler replaces it. Raises `ChainUnreachable`.
        """
        return self._sign(Call(b"", to=self.wallet.address), nonce, await self.gas_price(), TRANSFER_GAS)

    # --- gas -----------------------------------------------------------------

    async def gas_price(self) -> int:
        """Return `min(network price × multiplier, cap)` in wei; the cap when the node returns no price."""
        if self._cap == 0:
            return 0
        read_at, price = self._price
        if time.monotonic() - read_at > _PRICE_CACHE_S:
            try:
                network = int(await self.hub.rpc.call("eth_gasPrice"), 16)
                price = min(math.ceil(network * self._multiplier), self._cap)
            except (RpcError, TypeError, ValueError):
                price = self._cap
            self._price = (time.monotonic(), price)
        return price

    async def estimate_gas(self, call: Call) -> int:
        """Return the estimated gas of a call, with margin; raises `Reverted` or `OutOfGas`."""
        fields = {
            "from": self.wallet.address,
            "to": call.to or self.hub.hub_address,
            "data": to_hex(call.data),
            "value": hex(call.value),
        }
        try:
            estimate = quantity("eth_estimateGas", await self.hub.rpc.call("eth_estimateGas", fields))
        except RpcError as error:
            raise (classify(error) or TransactionRejected(error.message)) from error
        return math.ceil(estimate * self._margin) + call.extra_gas

    async def affordable_transactions(self) -> float:
        """Return the number of transactions that the wallet's balance covers; infinite with free gas."""
        if self._cap == 0:
            return math.inf
        return await self.hub.balance(self.wallet.address) / (GAS_PER_TRANSACTION * self._cap)

    # --- nonces --------------------------------------------------------------

    async def _take_nonce(self) -> int:
        await self._release_unreceived()
        if self._released:
            nonce = heapq.heappop(self._released)
        else:
            if self._next is None or not self._in_flight:
                self._next = await self._pending_count()
            nonce = self._next
            self._next += 1
        self._in_flight.add(nonce)
        return nonce

    async def _release_unreceived(self) -> None:
        """Release the nonces of transactions that the node did not receive."""
        while self._unconfirmed:
            lost = self._unconfirmed[-1]
            if not await self._node_knows(lost.hash):
                self._in_flight.discard(lost.nonce)
                heapq.heappush(self._released, lost.nonce)
            self._unconfirmed.remove(lost)

    async def _pending_count(self) -> int:
        method = "eth_getTransactionCount"
        return quantity(method, await self.hub.rpc.call(method, self.wallet.address, "pending"))

    async def _refused(self, nonce: int, problem: TransactionError) -> None:
        if not isinstance(problem, NonceTooLow | ReplacementUnderpriced):
            await self._release(nonce)
            return
        async with self._lock:
            self._in_flight.discard(nonce)
            pending = await self._pending_count()
            self._next = max(self._next or 0, pending)
            self._released = [free for free in self._released if free >= pending]
            heapq.heapify(self._released)

    async def _release(self, nonce: int) -> None:
        """Release a nonce, or fill it with an empty transfer when later nonces are in flight.

        Without the filler, later transactions would not be mined before the wallet sends another one.
        """
        async with self._lock:
            self._in_flight.discard(nonce)
            later = any(other > nonce for other in self._in_flight)
            if not later or not await self._fill(nonce):
                heapq.heappush(self._released, nonce)

    async def _fill(self, nonce: int) -> bool:
        try:
            filler = await self.sign_filler(nonce)
            await self.hub.rpc.call("eth_sendRawTransaction", to_hex(filler.raw))
        except (RpcError, ChainUnreachable):
            return False
        return True

    def _sign(self, call: Call, nonce: int, price: int, gas: int) -> SignedTransaction:
        target = call.to or self.hub.hub_address
        return self.wallet.sign_transaction(
            Transaction(nonce, price, gas, target, call.value, call.data, self.hub.chain_id)
        )

    async def _node_knows(self, transaction_hash: bytes) -> bool:
        return await self.hub.rpc.call("eth_getTransactionByHash", to_hex(transaction_hash)) is not None
