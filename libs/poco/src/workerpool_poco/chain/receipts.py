"""Receipts of mined transactions, and a watcher that awaits many of them with few requests."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workerpool_poco.chain.heads import HeadStream
from workerpool_poco.chain.rpc import SHAPE_ERRORS, JsonRpc
from workerpool_poco.errors import ChainUnreachable, PocoError
from workerpool_poco.protocol.contracts import abi
from workerpool_poco.protocol.contracts.events import HubEvent, decode_log
from workerpool_poco.protocol.ids import Address, address, from_hex, to_hex

_MIN_PERIOD_S, _MAX_PERIOD_S = 0.01, 0.5
_RECHECK_S = 2.0
"""Seconds after which receipts are read again without a new head."""


class ReceiptTimeout(PocoError):
    """A transaction was not mined within the time limit; it may be mined later."""


class NoSuchEntry(PocoError):
    """A receipt contains no registration of an app, dataset or workerpool."""


@dataclass(frozen=True)
class Receipt:
    """The outcome of a transaction: block, success, gas used and the hub's events."""

    transaction_hash: bytes
    block_number: int
    block_hash: bytes
    succeeded: bool
    gas_used: int
    contract_address: Address | None
    events: tuple[HubEvent, ...]
    logs: tuple[Mapping[str, Any], ...] = field(repr=False)

    def created_entry(self, registry: Address) -> Address:
        """Return the address of the app, dataset or workerpool that a registry created; raises `NoSuchEntry`."""
        topic = to_hex(abi.APP_REGISTRY.events["Transfer"].topic)
        for log in self.logs:
            if address(log["address"]) == address(registry) and log["topics"][0] == topic:
                return address(from_hex(log["topics"][3])[12:])
        raise NoSuchEntry(f"transaction {to_hex(self.transaction_hash)} registered no entry at {registry}")


def read_receipt(answer: Mapping[str, Any], hub: Address) -> Receipt:
    """Return the receipt in a JSON-RPC answer; only logs of the hub become events."""
    events = (decode_log(log) for log in answer["logs"] if address(log["address"]) == hub)
    created = answer.get("contractAddress")
    return Receipt(
        transaction_hash=from_hex(answer["transactionHash"]),
        block_number=int(answer["blockNumber"], 16),
        block_hash=from_hex(answer["blockHash"]),
        succeeded=int(answer["status"], 16) == 1,
        gas_used=int(answer["gasUsed"], 16),
        contract_address=address(created) if created else None,
        events=tuple(event for event in events if event is not None),
        logs=tuple(answer["logs"]),
    )


class ReceiptWatcher:
    """Awaits receipts: reads all pending ones in one batch at each new head.

    Without a head stream it polls, every 10 ms at first (for chains that mine at once), then with growing pauses up to
    half a second.
    """

    def __init__(self, rpc: JsonRpc, hub: Address, heads: HeadStream | None = None) -> None:
        self._rpc = rpc
        self._hub = hub
        self._heads = heads
        self._waiting: dict[bytes, asyncio.Future[Receipt]] = {}
        self._callers: Counter[bytes] = Counter()
        self._requested = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def wait(self, transaction_hash: bytes, timeout: float) -> Receipt:
        """Wait up to `timeout` seconds for a receipt and return it; raises `ReceiptTimeout`.

        An outage of the node does not end the wait.
        """
        future = self._waiting.get(transaction_hash)
        if future is None:
            future = self._waiting[transaction_hash] = asyncio.get_running_loop().create_future()
        self._requested.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._watch(), name="receipt-watcher")
        self._callers[transaction_hash] += 1
        try:
            async with asyncio.timeout(timeout):
                return await asyncio.shield(future)
        except TimeoutError as cause:
            raise ReceiptTimeout(
                f"transaction {to_hex(transaction_hash)} is not mined after {timeout} seconds"
            ) from cause
        finally:
            self._callers[transaction_hash] -= 1
            if not self._callers[transaction_hash]:
                # No caller is left, so a transaction that is never mined is not read again.
                del self._callers[transaction_hash]
                self._waiting.pop(transaction_hash, None)

    async def close(self) -> None:
        """Stop watching and cancel the pending waits."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        for future in self._waiting.values():
            future.cancel()
        self._waiting.clear()

    async def _watch(self) -> None:
        pause = _MIN_PERIOD_S
        while self._waiting:
            if self._requested.is_set():
                self._requested.clear()
                pause = _MIN_PERIOD_S
            head = self._heads.latest if self._heads else None
            with contextlib.suppress(ChainUnreachable):
                await self._read()
            if self._heads is not None and self._heads.latest != head:
                continue
            await self._pause(pause)
            pause = min(pause * 1.5, _MAX_PERIOD_S)

    async def _read(self) -> None:
        hashes = list(self._waiting)
        calls = [("eth_getTransactionReceipt", (to_hex(item),)) for item in hashes]
        for transaction_hash, answer in zip(hashes, await self._rpc.batch(calls), strict=True):
            if not isinstance(answer, Mapping) or not answer.get("blockNumber"):
                continue
            try:
                receipt = read_receipt(answer, self._hub)
            except (*SHAPE_ERRORS, PocoError):
                # The receipt is incomplete or malformed: it is read again, without blocking the others.
                continue
            future = self._waiting.pop(transaction_hash, None)
            if future is not None and not future.done():
                future.set_result(receipt)

    async def _pause(self, seconds: float) -> None:
        """Wait for the next head, or without a head stream for some seconds; a new caller ends the wait."""
        if not self._waiting:
            return
        requested = asyncio.ensure_future(self._requested.wait())
        if self._heads is not None and self._heads.reachable:
            other = asyncio.ensure_future(self._heads.wait_change(_RECHECK_S))
        else:
            other = asyncio.ensure_future(asyncio.sleep(seconds, result=True))
        try:
            await asyncio.wait((requested, other), return_when=asyncio.FIRST_COMPLETED)
        finally:
            requested.cancel()
            other.cancel()
