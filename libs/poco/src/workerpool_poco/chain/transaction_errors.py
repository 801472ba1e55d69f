"""Causes for which a transaction fails, classified from the nodes' error messages."""

from workerpool_poco.errors import ChainUnreachable, InvalidId, PocoError, RpcError
from workerpool_poco.protocol.encoding.abi_codec import AbiError, decode
from workerpool_poco.protocol.ids import from_hex

NodeUnreachable = ChainUnreachable
"""The node does not answer, so the state of the transaction is unknown; sending it again is safe."""

_ERROR_STRING = bytes.fromhex("08c379a0")
"""Selector of Solidity's `Error(string)`."""


class TransactionError(PocoError):
    """A node or the contract refused a transaction."""


class OutOfGas(TransactionError):
    """The wallet's balance does not cover the gas: send coins to it."""


class Reverted(TransactionError):
    """The contract reverts the transaction; `reason` is its text, empty for most PoCo checks."""

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason


class NonceTooLow(TransactionError):
    """Another transaction of the wallet used the nonce: prepare the transaction again."""


class Underpriced(TransactionError):
    """The gas price is too low for the node; the configured cap may be too low."""


class ReplacementUnderpriced(Underpriced):
    """Another pending transaction has the nonce, and the price does not replace it."""


class GasPriceCapReached(Underpriced):
    """The necessary gas price exceeds the configured cap."""


class TransactionRejected(TransactionError):
    """The node refused the transaction for another reason, which the message contains."""


def classify(error: RpcError) -> TransactionError | None:
    """Return the cause of a refusal; None when the node already has the transaction."""
    text = error.message.lower()
    if any(words in text for words in ("already known", "already imported", "already in mempool")):
        return None
    if "insufficient" in text and ("fund" in text or "balance" in text):
        return OutOfGas(error.message)
    if "replacement" in text or "same nonce" in text:
        return ReplacementUnderpriced(error.message)
    if "nonce" in text and ("low" in text or "old" in text):
        return NonceTooLow(error.message)
    if any(words in text for words in ("underpriced", "price too low", "base fee", "feetoolow")):
        return Underpriced(error.message)
    if error.code == 3 or "revert" in text:
        reason = revert_reason(error.data)
        return Reverted(reason or error.message, reason)
    return TransactionRejected(error.message)


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
