"""What the texts of nodes mean."""

import pytest
from workerpool_chain_adapter.adapters.node_errors import outcome_of, would_revert
from workerpool_chain_adapter.domain.sending import SendOutcome
from workerpool_poco.chain.transaction_errors import classify
from workerpool_poco.errors import RpcError


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("already known", SendOutcome.ACCEPTED),
        ("transaction already imported", SendOutcome.ACCEPTED),
        ("nonce too low", SendOutcome.NONCE_USED),
        ("OldNonce", SendOutcome.NONCE_USED),
        ("replacement transaction underpriced", SendOutcome.UNDERPRICED),
        ("max fee per gas less than block base fee", SendOutcome.UNDERPRICED),
        ("insufficient funds for gas * price + value", SendOutcome.NO_FUNDS),
        ("txpool is full", SendOutcome.REFUSED),
    ],
)
def test_a_refused_transaction_is_classified_by_the_text(text: str, outcome: SendOutcome) -> None:
    assert outcome_of(classify(RpcError("eth_sendRawTransaction", -32000, text))) is outcome


@pytest.mark.parametrize(
    ("code", "text", "blames_the_call"),
    [
        (3, "execution reverted", True),
        (-32000, "execution reverted", True),
        (-32015, "VM execution error.", True),
        (-32000, "gas required exceeds allowance (30000000)", True),
        (-32000, "always failing transaction", True),
        (-32603, "EVM error OutOfGas", True),
        (-32005, "daily request count exceeded, request rate limited", False),
        (-32603, "Internal error", False),
        (-32000, "execution aborted (timeout = 5s)", False),
        (-32000, "no backend is currently healthy to serve traffic", False),
    ],
)
def test_a_refused_estimate_blames_the_call_or_the_node(code: int, text: str, blames_the_call: bool) -> None:
    assert would_revert(RpcError("eth_estimateGas", code, text)) is blames_the_call
