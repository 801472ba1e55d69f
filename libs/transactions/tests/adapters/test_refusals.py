"""The words of known nodes, quoted from their sources and from their answers."""

import pytest
from workerpool_poco.errors import RpcError
from workerpool_transactions.adapters.refusals import is_revert, outcome_of
from workerpool_transactions.domain.answers import SendOutcome

SENDS = {
    SendOutcome.ACCEPTED: [
        "already known",
        "ALREADY_EXISTS: already known",
        "AlreadyKnown",
        "Known transaction",
        "known transaction: 3a4f",
        "transaction already imported",
        "Transaction with the same hash was already imported.",
        "existing tx with same hash",
    ],
    SendOutcome.NONCE_TOO_LOW: [
        "nonce too low",
        "nonce too low: next nonce 5, tx nonce 3",
        "nonce too low: address 0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A, tx: 3 state: 5",
        "INTERNAL_ERROR: nonce too low",
        "OldNonce, Current nonce: 5, nonce of rejected tx: 3",
        "Nonce too low",
        "Transaction nonce is too low. Try incrementing the nonce.",
    ],
    SendOutcome.NONCE_TOO_HIGH: [
        "nonce too high",
        "nonce too high: address 0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A, tx: 9 state: 5",
        "NonceGap, Future nonce. Expected nonce: 5",
        "NonceTooFarInFuture",
        "Nonce too far in future for the sender",
    ],
    SendOutcome.FEE_TOO_LOW: [
        "max fee per gas less than block base fee",
        "max fee per gas less than block base fee: address 0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A, "
        "maxFeePerGas: 10000000, baseFee: 20000000",
        "transaction underpriced",
        "transaction underpriced: gas tip cap 0, minimum needed 1",
        "underpriced",
        "fee too low",
        "FeeTooLow, MaxFeePerGas too low. MaxFeePerGas: 1, BaseFee: 7",
        "Gas price below configured minimum gas price",
        "gasPrice is less than the current BaseFee",
        "Transaction gas price 0 is too low. It does not satisfy your node's minimal gas price (minimal: 1). "
        "Try increasing the gas price.",
    ],
    SendOutcome.REPLACEMENT_TOO_LOW: [
        "replacement transaction underpriced",
        "ReplacementNotAllowed",
        "Transaction replacement underpriced",
        "could not replace existing tx",
        "Transaction gas price supplied is too low. There is another transaction with same nonce in the queue. "
        "Try increasing the gas price or incrementing the nonce.",
    ],
    SendOutcome.NO_FUNDS: [
        "insufficient funds for gas * price + value",
        "insufficient funds for gas * price + value: balance 0, tx cost 42, overshot 42",
        "insufficient funds for transfer",
        "Insufficient funds for gas * price + value",
        "InsufficientFunds, Balance is zero, cannot pay gas",
        "Upfront cost exceeds account balance",
        "transaction upfront cost 0x2a exceeds account balance 0x0",
        "Insufficient funds. The account you tried to send transaction from does not have enough funds. "
        "Required 42 and got: 0.",
        "transaction would cause overdraft",
    ],
    SendOutcome.BUSY: [
        "context deadline exceeded",
        "context canceled",
        "txpool is full",
        "pending sub-pool is full",
        "baseFee sub-pool is full",
        "queued sub-pool is full",
        "There are too many transactions in the queue. Your transaction was dropped due to limit. "
        "Try increasing the fee.",
        "FeeTooLowToCompete",
        "in-flight transaction limit reached for delegated accounts",
        "An invalid transaction with a lower nonce exists",
        "spammer",
        "Too Many Requests",
        "429 Too Many Requests: request rate exceeded",
        "daily request count exceeded, request rate limited",
        "Your app has exceeded its compute units per second capacity.",
        "request timed out",
        "Internal error",
        "a sentence that no known node says",
        "",
    ],
    SendOutcome.INVALID: [
        "gas limit reached",
        "exceeds block gas limit",
        "Transaction gas limit exceeds block gas limit",
        "Transaction cost exceeds current gas limit. Limit: 1, got: 2. Try decreasing supplied gas.",
        "GasLimitExceeded, Gas limit: 1, gas limit of rejected tx: 2",
        "transaction gas limit too high (cap: 16777216, tx: 20000000)",
        "Supplied gas is beyond limit.",
        "intrinsic gas too low",
        "intrinsic gas too low: have 21000, want 21064",
        "intrinsic gas too high -- tx.gas_limit > env.block.gas_limit",
        "insufficient gas for floor data gas cost: have 21000, want 22000",
        "Intrinsic gas exceeds gas limit",
        "Transaction gas is too low. There is not enough gas to cover minimal cost of the transaction "
        "(minimal: 21064, got: 21000). Try increasing supplied gas.",
        "tx fee (1.20 ether) exceeds the configured cap (1.00 ether)",
        "Transaction fee cap exceeded",
        "max priority fee per gas higher than max fee per gas",
        "oversized data",
        "max initcode size exceeded",
        "transaction type not supported",
        "NotSupportedTxType",
        "invalid chain id for signer: have 1 want 134",
        "only replay-protected (EIP-155) transactions allowed over RPC",
    ],
}


@pytest.mark.parametrize(
    ("outcome", "message"),
    [(outcome, message) for outcome, messages in SENDS.items() for message in messages],
)
def test_a_refused_send(outcome: SendOutcome, message: str) -> None:
    assert outcome_of(RpcError("eth_sendRawTransaction", -32000, message)) is outcome


def test_every_outcome_has_words() -> None:
    assert set(SENDS) == set(SendOutcome)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (3, "execution reverted"),
        (3, "execution reverted: task not active"),
        (-32000, "execution reverted"),
        (-32000, "gas required exceeds allowance (30000000)"),
        (-32000, "gas required exceeds allowance (30000000) or always failing transaction"),
        (-32000, "out of gas"),
        (-32015, "VM execution error."),
        (-32015, "Transaction execution error."),
        (-32000, "Execution reverted"),
        (-32603, "EVM error: InvalidFEOpcode"),
        (-32000, "invalid opcode: INVALID"),
        (-32016, "The execution failed due to an exception. Reverted"),
    ],
)
def test_an_estimate_of_a_call_that_reverts(code: int, message: str) -> None:
    assert is_revert(RpcError("eth_estimateGas", code, message))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (-32000, "execution timeout"),
        (-32000, "execution aborted (timeout = 5s)"),
        (-32000, "context deadline exceeded"),
        (-32000, "missing trie node 1234"),
        (-32000, "header not found"),
        (-32005, "Too Many Requests"),
        (429, "execution reverted"),
        (-32000, "Your app has exceeded its compute units per second capacity"),
        (-32603, "Internal error"),
        (-32000, "no backend is available"),
        (-32601, "the method eth_estimateGas does not exist"),
        (-32000, "insufficient funds for gas * price + value"),
        (0, ""),
    ],
)
def test_an_estimate_that_fails_for_the_nodes_own_reason(code: int, message: str) -> None:
    assert not is_revert(RpcError("eth_estimateGas", code, message))
