"""What a node's refusal of a transaction or of a gas estimate means."""

from workerpool_poco.chain.transaction_errors import NonceTooLow, OutOfGas, TransactionError, Underpriced
from workerpool_poco.errors import RpcError

from workerpool_chain_adapter.domain.sending import SendOutcome


def outcome_of(refusal: TransactionError | None) -> SendOutcome:
    """Return the outcome for the classified refusal of a signed transaction; None means accepted."""
    match refusal:
        case None:
            return SendOutcome.ACCEPTED
        case NonceTooLow():
            return SendOutcome.NONCE_USED
        case Underpriced():
            return SendOutcome.UNDERPRICED
        case OutOfGas():
            return SendOutcome.NO_FUNDS
        case _:
            return SendOutcome.REFUSED


_REVERT_CODES = frozenset({3, -32015})
_REVERT_WORDS = (
    "revert",
    "execution",
    "evm error",
    "gas required exceeds",
    "always failing",
    "out of gas",
    "intrinsic gas",
    "invalid opcode",
)


def would_revert(refusal: RpcError) -> bool:
    """Return whether a node that refuses a gas estimate blames the call, by the texts of known nodes.

    Otherwise the node itself has a problem (rate limit, time limit, no back end), which says nothing about the call.
    """
    text = refusal.message.lower()
    if "timeout" in text or "timed out" in text:
        return False
    return refusal.code in _REVERT_CODES or any(words in text for words in _REVERT_WORDS)
