"""What a node's refusal of a transaction or of a gas estimate means, by the words of known nodes.

JSON-RPC gives no codes for these refusals. Geth, Erigon, Nethermind, Besu, OpenEthereum, anvil and Nitro each have
their own words, and providers add theirs.
"""

from workerpool_poco.errors import RpcError

from workerpool_transactions.domain.answers import SendOutcome

REFUSALS: tuple[tuple[SendOutcome, tuple[str, ...]], ...] = (
    (
        SendOutcome.ACCEPTED,
        (
            "already known",  # Geth, Erigon, Nitro
            "alreadyknown",  # Nethermind
            "known transaction",  # Besu, old Geth
            "already imported",  # OpenEthereum, anvil
            "already in mempool",
            "tx with same hash",  # Erigon
        ),
    ),
    (
        # Before the nonce and the price: OpenEthereum's sentence names both.
        SendOutcome.REPLACEMENT_TOO_LOW,
        (
            "replacement",  # Geth, Besu, Nethermind (ReplacementNotAllowed), anvil
            "transaction with same nonce",  # OpenEthereum
            "could not replace existing",  # Erigon
            "ownnoncealreadyused",  # Nethermind
        ),
    ),
    (
        # Before the funds and the fees: these sentences contain words of both.
        SendOutcome.INVALID,
        (
            "exceeds block gas limit",  # Geth, Besu
            "exceeds current gas limit",  # OpenEthereum
            "gas limit reached",  # Geth, Nitro: above the gas of an empty block
            "gas limit too high",  # Geth since Osaka (EIP-7825)
            "gas limit is too big",  # Erigon
            "gaslimitexceeded",  # Nethermind
            "beyond limit",  # OpenEthereum
            "intrinsic gas",  # Geth, Besu, anvil (also "too high": above the block's gas limit)
            "transaction gas is too low",  # OpenEthereum
            "floor data gas",  # Geth (EIP-7623)
            "gas floor exceeds",  # anvil
            "exceeds the configured cap",  # Geth: gas times price above the node's limit
            "fee cap exceeded",  # Besu
            "higher than max fee per gas",  # Geth, anvil: the tip exceeds the offer
            "cannot be greater than max fee",  # Besu
            "oversized data",
            "initcode",
            "type not supported",
            "notsupportedtxtype",  # Nethermind
            "type is not supported",  # Erigon
            "invalid sender",
            "chain id",
            "chainid",
            "replay-protected",
            "replay protected",
            "not authorized",  # Besu
            "not permitted",  # OpenEthereum
            "banned",  # OpenEthereum
        ),
    ),
    (
        SendOutcome.BUSY,
        (
            "context deadline exceeded",  # Nitro: not executed
            "context canceled",
            "timeout",
            "timed out",
            "txpool is full",  # Geth
            "pool is full",  # Erigon: "pending sub-pool is full"
            "too many transactions",  # OpenEthereum
            "feetoolowtocompete",  # Nethermind: its pool is full of better offers
            "future transaction tries to replace",  # Geth: its pool is full
            "in-flight transaction limit",  # Geth
            "invalid transaction with a lower nonce",  # Besu
            "spammer",  # Erigon
            "queue full",  # Nitro
        ),
    ),
    (
        SendOutcome.NO_FUNDS,
        (
            "insufficient fund",  # Geth, Erigon, OpenEthereum, anvil, Nitro
            "insufficientfunds",  # Nethermind
            "insufficient balance",
            "exceeds account balance",  # Besu
            "overdraft",  # Geth
        ),
    ),
    (
        SendOutcome.NONCE_TOO_HIGH,
        (
            "nonce too high",  # Nitro, Geth, anvil
            "nonce too far",  # Besu
            "nonce too distant",  # Besu
            "noncetoofarinfuture",  # Nethermind
            "noncegap",  # Nethermind
            "nonce gap",
            "gapped-nonce",  # Geth
        ),
    ),
    (
        SendOutcome.NONCE_TOO_LOW,
        (
            "nonce too low",  # Geth, Erigon, Besu, anvil, Nitro
            "nonce is too low",  # OpenEthereum
            "oldnonce",  # Nethermind
            "old nonce",
        ),
    ),
    (
        SendOutcome.FEE_TOO_LOW,
        (
            "less than block base fee",  # Geth, anvil, Nitro
            "less than the current basefee",  # Besu
            "below current base fee",
            "below base fee",
            "underpriced",  # Geth, Erigon
            "fee too low",  # Erigon
            "feetoolow",  # Nethermind
            "below configured minimum",  # Besu
            "minimum needed",  # Geth
            "gas price too low",
            "minimal gas price",  # OpenEthereum
        ),
    ),
)
"""Words of refusals in lower case, in the order in which they are looked for."""


def outcome_of(refusal: RpcError) -> SendOutcome:
    """Return what a node's refusal of a signed transaction means.

    An unknown refusal counts as BUSY: the same bytes are sent again, so no work is lost and no nonce is burnt. The
    message stays visible while the transaction waits.
    """
    text = refusal.message.lower()
    if not refusal.busy:
        for outcome, words in REFUSALS:
            if any(each in text for each in words):
                return outcome
    return SendOutcome.BUSY


_REVERT_CODES = frozenset({3, -32015})
"""Geth's code of a revert, and OpenEthereum's of a failed execution."""
_REVERT_WORDS = (
    "revert",
    "vm execution error",  # OpenEthereum, Nethermind
    "evm error",  # anvil
    "gas required exceeds",  # Geth
    "always failing",  # old Geth
    "out of gas",
    "invalid opcode",
    "bad instruction",  # OpenEthereum
    "bad jump",  # OpenEthereum
    "stack underflow",
    "invalid jump",
    "execution failed",
)
_NODE_WORDS = ("timeout", "timed out", "deadline exceeded", "aborted", "insufficient fund")
"""Words of a fault of the node or the wallet; they take precedence over words of a revert."""


def is_revert(refusal: RpcError) -> bool:
    """Return whether a node that refuses a gas estimate says that the call would revert.

    Otherwise the node itself has a problem (rate limit, time limit, missing state), which says nothing about the call.
    """
    text = refusal.message.lower()
    if refusal.busy or refusal.state_gone or any(words in text for words in _NODE_WORDS):
        return False
    return refusal.code in _REVERT_CODES or any(words in text for words in _REVERT_WORDS)
