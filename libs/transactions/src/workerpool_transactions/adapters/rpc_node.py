"""The `Node` port over JSON-RPC: one wallet's view of the chain."""

from collections.abc import Sequence
from typing import Any

from workerpool_poco.chain.answers import (
    malformed,
    read_header,
    read_known,
    read_quantity,
    read_receipt,
    revert_reason,
)
from workerpool_poco.chain.rpc import JsonRpc
from workerpool_poco.errors import ChainUnreachable, RpcError, Throttled
from workerpool_poco.protocol.ids import Address, Hex, to_hex

from workerpool_transactions.adapters.refusals import is_revert, outcome_of
from workerpool_transactions.domain.answers import (
    Counts,
    FeeQuote,
    GasEstimate,
    SendAnswer,
    SendOutcome,
)
from workerpool_transactions.domain.entry import Call, Receipt

SEND_LIMIT_S = 60.0
"""Limit of the connection for one send. The pipeline's own limit, `ChainProfile.send_limit_s`, is shorter."""

_NO_SUCH_METHOD = -32601
_RECEIPT = "eth_getTransactionReceipt"
_LATEST_BLOCK = ("eth_getBlockByNumber", ("latest", False))


class RpcNode:
    """Calls one node for one wallet.

    Every method raises `ChainUnreachable` with one sentence when the node does not answer, is throttled, refuses a
    request for a reason of its own, or answers anything malformed; no other exception leaves it.
    """

    def __init__(self, rpc: JsonRpc, wallet: Address, *, send_limit_s: float = SEND_LIMIT_S) -> None:
        self._rpc = rpc
        self._wallet = wallet
        self._send_limit_s = send_limit_s
        self._has_base_fee: bool | None = None
        self._suggests_tip = True

    async def counts(self) -> Counts:
        """Read the wallet's transaction counts; a node without a pending count gives the mined one for it."""
        return (await self.look(()))[0]

    async def look(self, hashes: Sequence[Hex]) -> tuple[Counts, dict[Hex, Receipt]]:
        """Read the counts and then the receipts of the mined transactions among `hashes`, in one request."""
        method = "eth_getTransactionCount"
        # The block comes first: the count is that of this block or of a later one.
        block, mined, pending, *answers = await self._rpc.batch(
            [
                ("eth_blockNumber", ()),
                (method, (self._wallet, "latest")),
                (method, (self._wallet, "pending")),
                *((_RECEIPT, (each,)) for each in hashes),
            ]
        )
        return self._counts(block, mined, pending), self._receipts(hashes, answers)

    def _counts(self, block: Any, mined: Any, pending: Any) -> Counts:
        method = "eth_getTransactionCount"
        number = read_quantity("eth_blockNumber", self._answered(block))
        count = read_quantity(method, self._answered(mined))
        if isinstance(pending, RpcError) or pending is None:
            return Counts(count, count, number)
        return Counts(count, max(count, read_quantity(method, pending)), number)

    async def send(self, raw: bytes) -> SendAnswer:
        """Send one signed transaction, once; sending it again is harmless. The caller sets the time limit."""
        method = "eth_sendRawTransaction"
        try:
            answer = await self._rpc.call(method, to_hex(raw), attempts=1, timeout=self._send_limit_s)
        except RpcError as refusal:
            return SendAnswer(outcome_of(refusal), refusal.message)
        except Throttled as refusal:
            return SendAnswer(SendOutcome.BUSY, str(refusal))
        if not isinstance(answer, str) or not answer:
            raise malformed(method, answer)
        return SendAnswer(SendOutcome.ACCEPTED)

    async def receipts(self, hashes: Sequence[Hex]) -> dict[Hex, Receipt]:
        """Return the receipts of the mined transactions among `hashes`."""
        return self._receipts(hashes, await self._rpc.batch([(_RECEIPT, (each,)) for each in hashes]))

    def _receipts(self, hashes: Sequence[Hex], answers: Sequence[Any]) -> dict[Hex, Receipt]:
        found = [
            read_receipt(self._answered(answer), hash_) for hash_, answer in zip(hashes, answers, strict=True)
        ]
        return {
            hash_: Receipt(hash_, mined.succeeded, mined.block_number, mined.gas_used, mined.block_hash)
            for hash_, mined in zip(hashes, found, strict=True)
            if mined is not None
        }

    async def known(self, hashes: Sequence[Hex]) -> set[Hex]:
        """Return which of these transactions the node has, mined or waiting."""
        answers = await self._rpc.batch([("eth_getTransactionByHash", (each,)) for each in hashes])
        return {
            hash_
            for hash_, answer in zip(hashes, answers, strict=True)
            if read_known(self._answered(answer), hash_)
        }

    async def quote(self) -> FeeQuote:
        """Read the current fees from the newest header, and what it lacks from the node's suggestions.

        With a base fee that is the tip, which a node need not suggest. Without one it is the gas price.
        """
        calls: list[tuple[str, Sequence[Any]]] = [_LATEST_BLOCK]
        # Another quote may learn it while this one waits for its answer.
        expected = self._has_base_fee
        asks_tip, asks_price = expected and self._suggests_tip, expected is False
        if asks_tip:
            calls.append(("eth_maxPriorityFeePerGas", ()))
        if asks_price:
            calls.append(("eth_gasPrice", ()))
        block, *suggested = await self._rpc.batch(calls)
        header = read_header(_LATEST_BLOCK[0], self._answered(block))
        has_base_fee = header.base_fee is not None
        if expected is not has_base_fee:
            # The first quote, or a fork: read again what such a chain needs.
            self._has_base_fee = has_base_fee
            return await self.quote()
        if header.base_fee is None:
            return FeeQuote(None, read_quantity("eth_gasPrice", self._answered(suggested[0])))
        tip = self._tip(suggested[0]) if suggested else 0
        return FeeQuote(header.base_fee, header.base_fee + tip, tip)

    async def balance(self) -> int:
        """Read the wallet's balance, in wei."""
        method = "eth_getBalance"
        (answer,) = await self._rpc.batch([(method, (self._wallet, "latest"))])
        return read_quantity(method, self._answered(answer))

    async def estimate(self, calls: Sequence[Call]) -> list[GasEstimate]:
        """Estimate the gas of calls, whose own `gas` is ignored; no margin is added.

        The newest block is read in the same request and before the estimates, so that they are of its state or of a
        later one.
        """
        method = "eth_estimateGas"
        wanted = [(method, (self._fields(call), "latest")) for call in calls]
        block, *answers = await self._rpc.batch([("eth_blockNumber", ()), *wanted])
        number = read_quantity("eth_blockNumber", self._answered(block))
        estimates = []
        for answer in answers:
            if isinstance(answer, RpcError) and is_revert(answer):
                reason = revert_reason(answer.data) or answer.message
                estimates.append(GasEstimate(None, number, reason))
            else:
                estimates.append(GasEstimate(read_quantity(method, self._answered(answer)), number))
        return estimates

    def _fields(self, call: Call) -> dict[str, str]:
        fields = {"from": self._wallet, "to": call.to, "data": to_hex(call.data)}
        return fields | {"value": hex(call.value)} if call.value else fields

    def _tip(self, suggested: Any) -> int:
        """Return the node's suggestion; 0 when it has none."""
        if isinstance(suggested, RpcError):
            # A node without the method keeps refusing it; every other refusal may pass.
            self._suggests_tip = (
                suggested.code != _NO_SUCH_METHOD and "method" not in suggested.message.lower()
            )
            return 0
        return 0 if suggested is None else read_quantity("eth_maxPriorityFeePerGas", suggested)

    def _answered(self, answer: Any) -> Any:
        """Return an answer; raises `ChainUnreachable` for a refusal, which is the node's own trouble here."""
        if isinstance(answer, RpcError):
            raise ChainUnreachable(f"{self._rpc.node_url} refuses {answer}") from answer
        return answer
