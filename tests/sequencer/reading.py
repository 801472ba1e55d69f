"""What reads answer: an Arbitrum node's fields and limits, a back-end that lags, answers that are missing."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from eth_utils.crypto import keccak

from sequencer import errors
from sequencer.behaviour import Behaviour
from sequencer.upstream import Upstream

SENTINEL = 2**50
_FILTERS = frozenset(
    {
        "eth_newFilter",
        "eth_newBlockFilter",
        "eth_newPendingTransactionFilter",
        "eth_getFilterChanges",
        "eth_getFilterLogs",
        "eth_uninstallFilter",
        "eth_subscribe",
        "eth_unsubscribe",
    }
)
_BLOCK_PLACES = {
    "eth_getBalance": 1,
    "eth_getCode": 1,
    "eth_getTransactionCount": 1,
    "eth_getStorageAt": 2,
    "eth_call": 1,
    "eth_estimateGas": 1,
    "eth_getBlockByNumber": 0,
}
"""Method → place of the block among its parameters."""
_NEWEST = ("latest", "pending")


class Reading:
    """Answers every call but sends. `lag` is the number of blocks that the answering back-end lacks."""

    def __init__(self, node: Upstream, behaviour: Callable[[], Behaviour], chance: random.Random) -> None:
        self._node = node
        self._behaviour = behaviour
        self._chance = chance

    async def answer(self, method: str, params: Sequence[Any], lag: int) -> Any:
        """Return the result of a call; raises `RpcError`."""
        behaviour = self._behaviour()
        if method in _FILTERS and not behaviour.filters:
            raise errors.no_such_method(method)
        if method == "eth_estimateGas" and self._happens(behaviour.stale_revert_probability):
            raise errors.RpcError(3, "execution reverted", "0x")
        if method == "eth_gasPrice" and self._happens(behaviour.null_gas_price_probability):
            return None
        if behaviour.price_is_base_fee:
            if method == "eth_maxPriorityFeePerGas":
                return "0x0"
            if method == "eth_gasPrice":
                return (await self._node.call("eth_getBlockByNumber", "latest", False))["baseFeePerGas"]
        if method == "eth_getLogs":
            return await self._logs(list(params), lag, behaviour)
        head = await self._node.number("eth_blockNumber") - lag if lag else None
        found = await self._node.call(method, *self._at(method, list(params), head, behaviour))
        if head is not None and method == "eth_blockNumber":
            return hex(head)
        if method in ("eth_getBlockByNumber", "eth_getBlockByHash"):
            return self._block(found, head, behaviour)
        if method == "eth_getTransactionReceipt":
            return self._receipt(found, head, behaviour)
        if method == "eth_getTransactionByHash" and _is_after(found, head):
            return None
        return found

    def _at(self, method: str, params: list[Any], head: int | None, behaviour: Behaviour) -> list[Any]:
        """Return the parameters with the block that the back-end takes for the newest one."""
        place = _BLOCK_PLACES.get(method)
        if place is None:
            return params
        if len(params) == place and method != "eth_getBlockByNumber":
            params.append("latest")
        if params[place] in _NEWEST:
            if head is not None:
                params[place] = hex(max(head, 0))
            elif behaviour.pending_is_latest:
                params[place] = "latest"
        return params

    async def _logs(self, params: list[Any], lag: int, behaviour: Behaviour) -> Any:
        wanted = dict(params[0])
        if "blockHash" not in wanted and (lag or behaviour.log_range):
            head = await self._node.number("eth_blockNumber") - lag
            first, last = (_number(wanted.get(key), head) for key in ("fromBlock", "toBlock"))
            if behaviour.log_range and last - first + 1 > behaviour.log_range:
                raise errors.range_too_long(behaviour.log_words, behaviour.log_range, first)
            if first > head:
                return []
            wanted |= {"fromBlock": hex(first), "toBlock": hex(min(last, head))}
        return await self._node.call("eth_getLogs", wanted)

    def _block(self, block: Any, head: int | None, behaviour: Behaviour) -> Any:
        if block is None or _is_after(block, head, "number"):
            return None
        if behaviour.gas_limit_sentinel:
            block["gasLimit"] = hex(SENTINEL)
        if behaviour.extra_fields:
            _add_nitro_fields(block)
        return block

    def _receipt(self, receipt: Any, head: int | None, behaviour: Behaviour) -> Any:
        if receipt is None or _is_after(receipt, head):
            return None
        if self._happens(behaviour.null_receipt_probability):
            return None
        if behaviour.extra_fields:
            receipt |= {"gasUsedForL1": "0x2710", "l1BlockNumber": "0x15a2f3c", "timeboosted": False}
        if self._happens(behaviour.pending_receipt_probability):
            receipt |= {"blockNumber": None, "blockHash": None, "transactionIndex": None, "status": None}
        return receipt

    def _happens(self, probability: float) -> bool:
        return self._chance.random() < probability


def _is_after(found: Any, head: int | None, key: str = "blockNumber") -> bool:
    """Return whether a block, receipt or transaction is newer than the head of the back-end."""
    if head is None or not isinstance(found, dict) or found.get(key) is None:
        return False
    return int(found[key], 16) > head


def _number(block: Any, head: int) -> int:
    if block in (None, "latest", "pending", "safe", "finalized"):
        return head
    return 0 if block == "earliest" else int(block, 16)


def _add_nitro_fields(block: dict[str, Any]) -> None:
    """Add the header fields and the internal transaction that begins each Nitro block."""
    number = str(block["number"])
    block |= {"l1BlockNumber": "0x15a2f3c", "sendCount": "0x1f", "sendRoot": "0x" + keccak(text=number).hex()}
    start = "0x" + keccak(text=f"start of block {number}").hex()
    if block["transactions"] and isinstance(block["transactions"][0], dict):
        internal = {
            "type": "0x6a",
            "hash": start,
            "blockHash": block["hash"],
            "blockNumber": number,
            "from": "0x00000000000000000000000000000000000a4b05",
            "to": "0x00000000000000000000000000000000000a4b05",
            "nonce": "0x0",
            "gas": "0x0",
            "value": "0x0",
            "input": "0x6bf6a42d",
            "transactionIndex": "0x0",
        }
        block["transactions"] = [internal, *block["transactions"]]
    else:
        block["transactions"] = [start, *block["transactions"]]
