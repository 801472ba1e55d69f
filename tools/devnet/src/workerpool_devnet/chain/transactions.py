"""Batches of signed transactions with preset nonces: no transaction waits for the receipt of another one."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hexbytes import HexBytes
from workerpool_poco.chain.wallet import Transaction, Wallet

from workerpool_devnet.chain.jsonrpc import JsonRpc
from workerpool_devnet.errors import ChainError, TransactionError

if TYPE_CHECKING:
    from web3.contract.contract import ContractConstructor, ContractFunction

DEPLOY_GAS = 9_000_000
CALL_GAS = 6_000_000
_PATIENCE_SECONDS = 2.0
"""Seconds without a new receipt until the next transaction of each account is replaced."""

Receipt = dict[str, Any]
"""A transaction receipt as the node returns it (hexadecimal strings)."""


@dataclass(frozen=True)
class _Pending:
    label: str
    account: Wallet
    transaction: Transaction

    @property
    def raw(self) -> str:
        """The signed transaction in hexadecimal."""
        return "0x" + self.account.sign_transaction(self.transaction).raw.hex()

    def replacement(self) -> _Pending:
        """Return the transaction with a gas price that nodes accept as a replacement."""
        price = self.transaction.gas_price * 5 // 4 + 1
        return replace(self, transaction=replace(self.transaction, gas_price=price))


def send(rpc: JsonRpc, account: Wallet, to: str, data: bytes, *, gas: int = CALL_GAS) -> Receipt:
    """Send one call of a contract and return its receipt.

    Raises `TransactionError` when it reverted or was not mined within a minute.
    """
    outbox = Outbox(rpc)
    outbox.call(account, f"a call of {account.address}", to, data, gas=gas)
    return outbox.flush()[0]


class Outbox:
    """Collects transactions of any number of accounts; `flush` signs and sends all of them, then waits for all.

    Transactions of one account are mined in the order of their addition. Between accounts there is no order:
    flush before a transaction that depends on one of another account.
    """

    def __init__(self, rpc: JsonRpc) -> None:
        self._rpc = rpc
        chain_id, *blocks = rpc.batch(
            [
                ("eth_chainId", []),
                *(("eth_getBlockByNumber", [name, False]) for name in ("latest", "pending")),
            ]
        )
        self._chain_id = int(chain_id, 16)
        # The base fee of the next block may be set. eth_gasPrice follows the last paid price, so doubling it would
        # raise the price with each batch.
        self._gas_price = 2 * max(int(block.get("baseFeePerGas", "0x0"), 16) for block in blocks)
        self._nonces: dict[str, int] = {}
        self._pending: list[_Pending] = []

    def create(self, account: Wallet, label: str, constructor: ContractConstructor) -> str:
        """Add the creation of a contract; returns its future address."""
        from web3.types import Nonce
        from web3.utils.address import get_create_address

        sender = self._rpc.web3.to_checksum_address(account.address)
        address = get_create_address(sender, Nonce(self._nonce(sender)))
        self._add(account, label, None, bytes.fromhex(constructor.data_in_transaction[2:]), DEPLOY_GAS)
        return address

    def invoke(
        self, account: Wallet, label: str, function: ContractFunction, *, gas: int = CALL_GAS, value: int = 0
    ) -> None:
        """Add a call of a contract's function, which pays it `value` wei; `label` names it in errors."""
        # With every field given, web3.py makes no request to the node.
        fields: Any = {"gas": gas, "gasPrice": self._gas_price, "chainId": self._chain_id}
        data = HexBytes(function.build_transaction(fields)["data"])
        self.call(account, label, function.address, data, gas=gas, value=value)

    def call(
        self, account: Wallet, label: str, to: str, data: bytes, *, gas: int = CALL_GAS, value: int = 0
    ) -> None:
        """Add a call of a contract with encoded arguments, which pays it `value` wei; `label` names it in errors."""
        self._add(account, label, to, data, gas, value)

    def flush(self, *, timeout: float = 60.0, in_one_block: bool = False) -> list[Receipt]:
        """Send every added transaction; return the receipts in the same order.

        `in_one_block` mines one block after sending, for a chain whose mining is stopped.
        Raises `TransactionError` when one reverted (with the contract's reason when it gives one)
        or was not mined within `timeout` seconds.
        """
        pending, self._pending = self._pending, []
        hashes = self._rpc.batch([("eth_sendRawTransaction", [transaction.raw]) for transaction in pending])
        if in_one_block:
            self._wait_pooled(len(pending), timeout)
            self._rpc.call("anvil_mine", "0x1")
        receipts = self._receipts(pending, hashes, timeout)
        for transaction, receipt in zip(pending, receipts, strict=True):
            if receipt["status"] != "0x1":
                raise TransactionError(f"{transaction.label} reverted: {self._reason(transaction)}")
        return receipts

    def _add(
        self, account: Wallet, label: str, to: str | None, data: bytes, gas: int, value: int = 0
    ) -> None:
        transaction = Transaction(
            nonce=self._nonce(account.address),
            gas_price=self._gas_price,
            gas=gas,
            to=to,
            value=value,
            data=data,
            chain_id=self._chain_id,
        )
        self._nonces[account.address] += 1
        self._pending.append(_Pending(label, account, transaction))

    def _nonce(self, address: str) -> int:
        if address not in self._nonces:
            self._nonces[address] = int(self._rpc.call("eth_getTransactionCount", address, "pending"), 16)
        return self._nonces[address]

    def _wait_pooled(self, count: int, timeout: float) -> None:
        """Wait until `count` transactions are pending: the node answers before it has added them to its pool."""
        deadline = time.monotonic() + timeout
        while int(self._rpc.call("txpool_status")["pending"], 16) < count:
            if time.monotonic() > deadline:
                raise TransactionError(f"{count} transactions were not pending together within {timeout:g} s")
            time.sleep(0.01)

    def _receipts(self, pending: list[_Pending], hashes: list[str], timeout: float) -> list[Receipt]:
        progress_at = time.monotonic()
        deadline = progress_at + timeout
        versions = [[name] for name in hashes]
        found: dict[int, Receipt] = {}
        while missing := [place for place in range(len(pending)) if place not in found]:
            asked = [(place, name) for place in missing for name in versions[place]]
            answers = self._rpc.batch([("eth_getTransactionReceipt", [name]) for _, name in asked])
            mined = {place: answer for (place, _), answer in zip(asked, answers, strict=True) if answer}
            found |= mined
            now = time.monotonic()
            if mined:
                progress_at = now
                continue
            if now > deadline:
                raise TransactionError(f"{len(missing)} transactions were not mined within {timeout:g} s")
            if now > progress_at + _PATIENCE_SECONDS:
                progress_at = now
                for place in missing:
                    if self._is_next(pending[place]):
                        pending[place] = pending[place].replacement()
                        with contextlib.suppress(ChainError):
                            sent = self._rpc.call("eth_sendRawTransaction", pending[place].raw)
                            versions[place].append(sent)
            time.sleep(0.01)
        return [found[place] for place in range(len(pending))]

    def _is_next(self, waiting: _Pending) -> bool:
        """Return whether a transaction has the next nonce of its account, so that only the node delays it.

        About one time in fifty, anvil keeps a transaction that arrives while its predecessor is mined in the queue
        for later nonces. It refuses the same transaction as known, but accepts a replacement.
        """
        count = self._rpc.call("eth_getTransactionCount", waiting.account.address, "latest")
        return int(count, 16) == waiting.transaction.nonce

    def _reason(self, transaction: _Pending) -> str:
        """Repeat a reverted transaction as a call and return the reason; PoCo's task functions give none."""
        sent = transaction.transaction
        fields = {
            "from": transaction.account.address,
            "to": sent.to,
            "data": "0x" + sent.data.hex(),
            "value": hex(sent.value),
        }
        try:
            self._rpc.call("eth_call", fields, "latest")
        except ChainError as error:
            return str(error)
        return "the contract gives no reason"
