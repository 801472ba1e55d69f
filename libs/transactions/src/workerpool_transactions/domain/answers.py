"""What a node answers: to a signed transaction, to a gas estimate, about fees and about the wallet."""

from dataclasses import dataclass
from enum import Enum


class SendOutcome(Enum):
    """How a node answered a signed transaction. A refusal steers the queue; it is no failure of the caller's work."""

    ACCEPTED = "accepted"
    """The node has it, now or from an earlier send; on a sequencer chain it is sequenced."""
    NONCE_TOO_LOW = "nonce too low"
    """A transaction with this nonce is mined: a version of this entry, or another transaction."""
    NONCE_TOO_HIGH = "nonce too high"
    """The node waits for a lower nonce and does not keep this one: send the same bytes again."""
    FEE_TOO_LOW = "fee too low"
    """The offer is below the base fee or the node's minimum: sign the same nonce again at today's fee."""
    REPLACEMENT_TOO_LOW = "replacement too low"
    """The node holds another version of the nonce, which this offer does not replace."""
    NO_FUNDS = "no funds"
    """The wallet cannot pay for it: park until the balance rises."""
    BUSY = "busy"
    """Not executed and not kept: a time limit, a full pool, throttling. Send the same bytes again."""
    INVALID = "invalid"
    """The transaction itself is refused, such as a gas limit above the block's or below the intrinsic gas."""


@dataclass(frozen=True, slots=True)
class SendAnswer:
    """A node's answer to one signed transaction; `message` is the node's text of a refusal."""

    outcome: SendOutcome
    message: str = ""


@dataclass(frozen=True, slots=True)
class GasEstimate:
    """The gas of a call without margin; `gas` is None and `problem` the node's text when the call would revert.

    `block_number` is the newest block known to the node before it estimated. A revert counts only when it is repeated
    at a block not older than the one in which the call's precondition was seen.
    """

    gas: int | None
    block_number: int
    problem: str = ""


@dataclass(frozen=True, slots=True)
class FeeQuote:
    """Today's fees in wei. `base_fee` is None on a chain without EIP-1559; `gas_price` is the node's suggestion."""

    base_fee: int | None
    gas_price: int
    tip: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """The wallet's transaction counts: mined at the latest block, and including the node's pool.

    `block_number` is the latest block at which `mined` was read. On a sequencer chain both counts are equal.
    """

    mined: int
    pending: int
    block_number: int
