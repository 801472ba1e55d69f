"""What a node's answer to a signed transaction means. Nodes differ in wording, so words are looked for."""

from enum import Enum


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
    """The node does not take it, for another reason."""


_WORDS = (
    (SendOutcome.ACCEPTED, ("already known", "already imported", "known transaction", "already exists")),
    (
        SendOutcome.NONCE_USED,
        ("nonce too low", "nonce is too low", "nonce has already been used", "oldnonce"),
    ),
    (
        SendOutcome.UNDERPRICED,
        (
            "underpriced",
            "fee too low",
            "less than block base fee",
            "price too low",
            "feetoolow",
            "lower than",
        ),
    ),
    (SendOutcome.NO_FUNDS, ("insufficient funds", "insufficient balance", "not enough funds")),
)


def outcome_of(error_message: str) -> SendOutcome:
    """Classify the words with which a node refused ``eth_sendRawTransaction``."""
    lower = error_message.lower()
    for outcome, words in _WORDS:
        if any(word in lower for word in words):
            return outcome
    return SendOutcome.REFUSED
