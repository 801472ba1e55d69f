"""What a node's answer to a signed transaction means for the journal."""

from enum import Enum

from workerpool_poco.chain.rpc import RpcError
from workerpool_poco.chain.transaction_errors import NonceTooLow, OutOfGas, TransactionError, Underpriced


class SendOutcome(Enum):
    """How a node took a transaction."""

    ACCEPTED = "accepted"
    """It is in the node's pool (perhaps it was before)."""
    NONCE_USED = "nonce used"
    """Something with this nonce was mined: perhaps this very transaction."""
    UNDERPRICED = "underpriced"
    """It pays too little to be taken now."""
    NO_FUNDS = "no funds"
    """The wallet cannot pay for it."""
    REFUSED = "refused"
    """The node does not take it, for another reason; perhaps later."""


def outcome_of(refusal: TransactionError | None) -> SendOutcome:
    """Judge the cause of a refusal; None is no refusal."""
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
    """Tell whether a node that estimates no gas blames the call, in the words of the nodes there are.

    Else it is in trouble itself (a rate limit, a time limit, nothing behind a balancer): that says nothing of the call.
    """
    text = refusal.message.lower()
    if "timeout" in text or "timed out" in text:
        return False
    return refusal.code in _REVERT_CODES or any(words in text for words in _REVERT_WORDS)
