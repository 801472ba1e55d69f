import pytest
from workerpool_devnet.chain.jsonrpc import JsonRpc
from workerpool_devnet.errors import ChainError
from workerpool_devnet.processes.ports import free_port
from workerpool_devnet.pytest_plugin import PocoChain


def test_batches_of_any_size_return_results_in_order(poco_chain: PocoChain) -> None:
    numbers = list(range(450))
    calls = [("web3_sha3", [f"0x{number:04x}"]) if number % 2 else ("eth_chainId", []) for number in numbers]
    results = poco_chain.chain.rpc.batch(calls)
    assert [result == hex(poco_chain.chain_id) for result in results] == [
        not number % 2 for number in numbers
    ]


def test_an_error_of_the_node_names_the_method(poco_chain: PocoChain) -> None:
    with pytest.raises(ChainError, match="eth_no_such_method: "):
        poco_chain.chain.rpc.call("eth_no_such_method")


def test_a_missing_node_is_reported_with_its_url() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with (
        JsonRpc(url) as rpc,
        pytest.raises(ChainError, match=f"the chain at {url} did not answer eth_chainId"),
    ):
        rpc.call("eth_chainId")


def test_web3_uses_the_same_node(poco_chain: PocoChain) -> None:
    assert poco_chain.chain.rpc.web3.eth.chain_id == poco_chain.chain_id


def test_an_unused_client_can_be_closed() -> None:
    JsonRpc("http://127.0.0.1:1").close()
