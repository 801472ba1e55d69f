"""Typed readers of a node's answers: quantities, headers, receipts, transactions.

Fields that a chain adds, such as Arbitrum's `l1BlockNumber`, are ignored. An answer that lacks a value, or spells it
in another way, raises `MalformedNodeAnswer`, which callers treat as an outage of the node. No other exception leaves a
reader, whatever the node answers.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workerpool_poco.errors import InvalidId, MalformedNodeAnswer
from workerpool_poco.protocol.encoding.abi_codec import AbiError, decode
from workerpool_poco.protocol.ids import Hex, from_hex
from workerpool_poco.protocol.model import Block

SHAPE_ERRORS = (AttributeError, KeyError, TypeError, ValueError)
"""Exceptions raised while an answer of an unexpected shape is read; see `malformed`."""

_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")
_HASH = re.compile(r"0x[0-9a-fA-F]{64}")
_ERROR_STRING = bytes.fromhex("08c379a0")
"""Selector of Solidity's `Error(string)`."""
_BYTES = re.compile(r"0x(?:[0-9a-fA-F]{2})*")
_LONGEST_QUOTE = 120
_ARBITRUM_FIELDS = frozenset({"l1BlockNumber", "sendCount", "sendRoot"})


@dataclass(frozen=True, slots=True)
class Header:
    """The fields of a block that a sender of transactions needs; fees in wei per gas.

    `base_fee` is None on a chain without EIP-1559. `is_arbitrum` is set if the header has Arbitrum's fields.
    """

    number: int
    hash: Hex
    base_fee: int | None
    gas_limit: int
    is_arbitrum: bool


@dataclass(frozen=True, slots=True)
class MinedTransaction:
    """The outcome of a mined transaction, from its receipt; `gas_used` in units of gas."""

    hash: Hex
    succeeded: bool
    block_number: int
    block_hash: Hex
    gas_used: int


def read_quantity(method: str, answer: Any) -> int:
    """Return a number that the node spells as `0x…`, of at most 256 bits."""
    if not isinstance(answer, str) or not _QUANTITY.fullmatch(answer):
        raise malformed(method, answer)
    return int(answer, 16)


def read_header(method: str, answer: Any) -> Header:
    """Return the header in the answer to `eth_getBlockByNumber`; null is malformed, since the newest block exists."""
    fields = _fields(method, answer)
    base_fee = fields.get("baseFeePerGas")
    return Header(
        number=read_quantity(f"{method}: number", fields.get("number")),
        hash=_hash(f"{method}: hash", fields.get("hash")),
        base_fee=None if base_fee is None else read_quantity(f"{method}: baseFeePerGas", base_fee),
        gas_limit=read_quantity(f"{method}: gasLimit", fields.get("gasLimit")),
        is_arbitrum=fields.keys() >= _ARBITRUM_FIELDS,
    )


def read_receipt(answer: Any, transaction: Hex) -> MinedTransaction | None:
    """Return the outcome of a transaction from its receipt; None when it is not mined.

    A node answers null for an unknown transaction. Some answer a receipt without a block while the transaction waits.
    """
    method = "eth_getTransactionReceipt"
    if answer is None:
        return None
    fields = _fields(method, answer)
    found = _hash(f"{method}: transactionHash", fields.get("transactionHash"))
    if found != transaction.lower():
        raise malformed(f"{method}: transactionHash", found)
    if fields.get("blockNumber") is None or fields.get("blockHash") is None:
        return None
    status = read_quantity(f"{method}: status", fields.get("status"))
    if status not in (0, 1):
        raise malformed(f"{method}: status", status)
    return MinedTransaction(
        hash=found,
        succeeded=status == 1,
        block_number=read_quantity(f"{method}: blockNumber", fields.get("blockNumber")),
        block_hash=_hash(f"{method}: blockHash", fields.get("blockHash")),
        gas_used=read_quantity(f"{method}: gasUsed", fields.get("gasUsed")),
    )


def read_block(method: str, answer: Any) -> Block:
    """Return the block in the answer to a request for one, or in a notification of a new head."""
    fields = _fields(method, answer)
    return Block(
        number=read_quantity(f"{method}: number", fields.get("number")),
        hash=from_hex(_hash(f"{method}: hash", fields.get("hash"))),
        parent_hash=from_hex(_hash(f"{method}: parentHash", fields.get("parentHash"))),
        timestamp=read_quantity(f"{method}: timestamp", fields.get("timestamp")),
        logs_bloom=read_bytes(f"{method}: logsBloom", fields.get("logsBloom") or "0x"),
        gas_limit=read_quantity(f"{method}: gasLimit", fields.get("gasLimit") or "0x0"),
    )


def read_finalized(answer: Any) -> int | None:
    """Return the number of the block in the answer to `eth_getBlockByNumber` with the tag `finalized`.

    None for null, and for the first block: so answer nodes whose chain never finalizes.
    """
    method = "eth_getBlockByNumber(finalized)"
    if answer is None:
        return None
    return read_quantity(f"{method}: number", _fields(method, answer).get("number")) or None


def read_bytes(method: str, answer: Any) -> bytes:
    """Return the bytes that the node spells as `0x…`, such as the answer to `eth_call`."""
    if not isinstance(answer, str) or not _BYTES.fullmatch(answer):
        raise malformed(method, answer)
    return from_hex(answer)


def read_known(answer: Any, transaction: Hex) -> bool:
    """Return whether the node has a transaction, mined or waiting, from the answer to `eth_getTransactionByHash`."""
    method = "eth_getTransactionByHash"
    if answer is None:
        return False
    found = _hash(f"{method}: hash", _fields(method, answer).get("hash"))
    if found != transaction.lower():
        raise malformed(f"{method}: hash", found)
    return True


def revert_reason(data: object) -> str:
    """Return the text in the revert data of `Error(string)`; empty for other data."""
    if isinstance(data, dict):
        data = data.get("data")
    if not isinstance(data, str):
        return ""
    try:
        raw = from_hex(data)
        return str(decode(["string"], raw[4:])[0]) if raw[:4] == _ERROR_STRING else ""
    except (InvalidId, AbiError):
        return ""


def malformed(method: str, answer: Any) -> MalformedNodeAnswer:
    """Return the error for an answer of the wrong shape, such as null from a node that lags or starts."""
    shown = repr(answer)
    if len(shown) > _LONGEST_QUOTE:
        shown = shown[:_LONGEST_QUOTE] + "…"
    return MalformedNodeAnswer(f"the node answered {shown} to {method}")


def _fields(method: str, answer: Any) -> Mapping[str, Any]:
    if not isinstance(answer, Mapping):
        raise malformed(method, answer)
    return answer


def _hash(what: str, answer: Any) -> Hex:
    if not isinstance(answer, str) or not _HASH.fullmatch(answer):
        raise malformed(what, answer)
    return answer.lower()
