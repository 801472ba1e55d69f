"""What a node's answer to a signed transaction means for the journal."""

from enum import Enum

from workerpool_poco.transaction_errors import NonceTooLow, OutOfGas, TransactionError, Underpriced


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
