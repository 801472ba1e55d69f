"""What a node answers to a gas estimate and to a signed transaction."""

from dataclasses import dataclass
from enum import Enum


class SendOutcome(Enum):
    """How a node answered a signed transaction."""

    ACCEPTED = "accepted"
    """It is in the node's transaction pool, now or from an earlier send."""
    NONCE_USED = "nonce used"
    """A transaction with this nonce is mined: this one or another."""
    UNDERPRICED = "underpriced"
    """Its gas price is too low to be accepted now."""
    NO_FUNDS = "no funds"
    """The wallet cannot pay for it."""
    REFUSED = "refused"
    """The node refuses it for another reason, possibly a temporary one."""


@dataclass(frozen=True, slots=True)
class SendAnswer:
    """A node's answer to one signed transaction; `message` is the node's text of a refusal."""

    outcome: SendOutcome
    message: str = ""


@dataclass(frozen=True, slots=True)
class GasEstimate:
    """The gas a plan needs, margin included; `gas` is None and `problem` the node's text when there is no estimate.

    `would_revert` says that the node blames the call. Otherwise the node itself has a problem.
    """

    gas: int | None
    problem: str = ""
    would_revert: bool = False
