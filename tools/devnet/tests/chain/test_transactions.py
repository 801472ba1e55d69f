import pytest
from workerpool_devnet.chain.transactions import Outbox
from workerpool_devnet.errors import TransactionError
from workerpool_devnet.market import artifacts
from workerpool_devnet.pytest_plugin import PocoChain


def test_receipts_are_in_the_order_of_addition(fresh_poco_chain: PocoChain) -> None:
    sender, rpc = fresh_poco_chain.account("outbox"), fresh_poco_chain.chain.rpc
    outbox = Outbox(rpc)
    for _ in range(5):
        outbox.call(sender, "transfer", sender.address, b"", gas=21_000)
    receipts = outbox.flush()
    sent = [rpc.call("eth_getTransactionByHash", receipt["transactionHash"]) for receipt in receipts]
    nonces = [int(transaction["nonce"], 16) for transaction in sent]
    assert nonces == list(range(nonces[0], nonces[0] + 5))


def test_a_created_contract_has_the_returned_address(fresh_poco_chain: PocoChain) -> None:
    sender, rpc = fresh_poco_chain.account("outbox"), fresh_poco_chain.chain.rpc
    outbox = Outbox(rpc)
    creation = artifacts.poco("IexecERC20Facet").creation(rpc.web3, libraries={})
    address = outbox.create(sender, "facet", creation)
    (receipt,) = outbox.flush()
    assert rpc.web3.to_checksum_address(receipt["contractAddress"]) == address
    assert len(rpc.call("eth_getCode", address, "latest")) > 2


def test_a_revert_is_reported_with_its_label_and_reason(fresh_poco_chain: PocoChain) -> None:
    sender = fresh_poco_chain.account("outbox")
    outbox = Outbox(fresh_poco_chain.chain.rpc)
    hub = fresh_poco_chain.market.hub
    outbox.invoke(sender, "a category", hub.functions.createCategory("mine", "", 1), gas=200_000)
    with pytest.raises(TransactionError, match=r"a category reverted: eth_call: .*revert"):
        outbox.flush()


def test_stopped_mining_puts_all_in_one_block(fresh_poco_chain: PocoChain) -> None:
    sender, chain = fresh_poco_chain.account("outbox"), fresh_poco_chain.chain
    chain.stop_mining()
    try:
        outbox = Outbox(chain.rpc)
        for _ in range(3):
            outbox.call(sender, "transfer", sender.address, b"", gas=21_000)
        assert len({receipt["blockNumber"] for receipt in outbox.flush(in_one_block=True)}) == 1
    finally:
        chain.mine_at_once()
