import socket
import time
from pathlib import Path

import pytest
from patience import PATIENCE_S
from workerpool_devnet.chain.anvil import Chain
from workerpool_devnet.errors import ChainError, OptionsError
from workerpool_devnet.market import accounts, deployment
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_poco.chain.wallet import Transaction, Wallet


def head(chain: Chain) -> tuple[int, int]:
    block = chain.rpc.call("eth_getBlockByNumber", "latest", False)
    return int(block["number"], 16), int(block["timestamp"], 16)


def wait_for_block(chain: Chain, number: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while head(chain)[0] < number:
        assert time.monotonic() < deadline, f"block {number} was not mined"
        time.sleep(0.02)


def test_the_head_advances_without_transactions(poco_chain: PocoChain) -> None:
    wait_for_block(poco_chain.chain, head(poco_chain.chain)[0] + 1)


def test_a_revert_undoes_a_change_of_time(poco_chain: PocoChain) -> None:
    snapshot = poco_chain.snapshot()
    _, before = head(poco_chain.chain)
    poco_chain.chain.increase_time(5000)
    assert head(poco_chain.chain)[1] >= before + 5000
    poco_chain.revert(snapshot)
    poco_chain.chain.mine()
    assert head(poco_chain.chain)[1] < before + 5000


def test_the_head_keeps_up_with_the_clock_after_reorganisations(tmp_path: Path) -> None:
    with Chain(log=tmp_path / "chain.log") as chain:
        for _ in range(3):
            first = head(chain)[0] + 1
            wait_for_block(chain, first + 1)
            taken_back = chain.rpc.call("eth_getBlockByNumber", hex(first), False)["hash"]
            now = int(time.time())
            chain.reorganise(first)
            assert chain.rpc.call("eth_getBlockByNumber", hex(first), False)["hash"] != taken_back
            assert head(chain)[1] >= now


def test_a_long_chain_deploys_reorganises_and_reverts(tmp_path: Path) -> None:
    with Chain(log=tmp_path / "chain.log", long=True) as chain:
        contracts = deployment.deploy(chain.rpc, accounts.deployer(chain.rpc))
        code = chain.rpc.call("eth_getCode", contracts.hub, "latest")
        assert len(code) > 100
        snapshot = chain.snapshot()
        first = head(chain)[0] + 1
        wait_for_block(chain, first + 1)
        taken_back = chain.rpc.call("eth_getBlockByNumber", hex(first), False)["hash"]
        chain.reorganise(first)
        assert chain.rpc.call("eth_getBlockByNumber", hex(first), False)["hash"] != taken_back
        assert chain.rpc.call("eth_getCode", contracts.hub, "latest") == code
        chain.revert(snapshot)
        assert chain.rpc.call("eth_getCode", contracts.hub, "latest") == code


def test_a_snapshot_can_be_reverted_once(poco_chain: PocoChain) -> None:
    snapshot = poco_chain.snapshot()
    poco_chain.revert(snapshot)
    with pytest.raises(ChainError, match="used already"):
        poco_chain.revert(snapshot)


def test_instant_mining_stays_instant(poco_chain: PocoChain) -> None:
    started = time.monotonic()
    for _ in range(20):
        name = send(poco_chain.chain, accounts.derive("deployer"))
        while poco_chain.chain.rpc.call("eth_getTransactionReceipt", name) is None:
            # With one block a second it would take 20 seconds.
            assert time.monotonic() - started < 5


def test_interval_mining_collects_transactions_in_one_block(tmp_path: Path) -> None:
    with Chain(log=tmp_path / "chain.log") as chain:
        wallet = accounts.deployer(chain.rpc)
        chain.mine_every(2)
        # Directly after a block, so that all are sent long before the next one.
        wait_for_block(chain, head(chain)[0] + 1)
        hashes = [send(chain, wallet, nonce) for nonce in range(3)]
        assert chain.rpc.call("eth_getTransactionReceipt", hashes[0]) is None
        wait_for_block(chain, head(chain)[0] + 1)
        blocks = {chain.rpc.call("eth_getTransactionReceipt", name)["blockNumber"] for name in hashes}
        assert len(blocks) == 1


def send(chain: Chain, wallet: Wallet, nonce: int | None = None) -> str:
    if nonce is None:
        nonce = int(chain.rpc.call("eth_getTransactionCount", wallet.address, "pending"), 16)
    transfer = Transaction(nonce, 4 * 10**9, 21_000, wallet.address, 1, b"", chain.chain_id)
    return str(chain.rpc.call("eth_sendRawTransaction", "0x" + wallet.sign_transaction(transfer).raw.hex()))


def test_blocks_follow_in_fractions_of_a_second_also_after_a_reorganisation(tmp_path: Path) -> None:
    with Chain(log=tmp_path / "chain.log", block_time=0.1) as chain:
        started, first = time.monotonic(), head(chain)[0]
        wait_for_block(chain, first + 12)
        assert 0.9 < time.monotonic() - started < 8
        chain.reorganise(head(chain)[0])
        wait_for_block(chain, head(chain)[0] + 5)


def test_a_chain_with_free_gas_has_no_base_fee_and_mines_a_price_of_0(tmp_path: Path) -> None:
    with Chain(log=tmp_path / "chain.log", chain_id=134, free_gas=True) as chain:
        assert "baseFeePerGas" not in chain.rpc.call("eth_getBlockByNumber", "latest", False)
        assert int(chain.rpc.call("eth_gasPrice"), 16) == 0
        poor = accounts.derive("without gas")
        offer = Transaction(0, 0, 21_000, poor.address, 0, b"", 134)
        sent = chain.rpc.call("eth_sendRawTransaction", "0x" + poor.sign_transaction(offer).raw.hex())
        deadline = time.monotonic() + PATIENCE_S
        while (receipt := chain.rpc.call("eth_getTransactionReceipt", sent)) is None:
            assert time.monotonic() < deadline, "the transaction is not mined"
            time.sleep(0.02)
        assert receipt["status"] == "0x1"


def test_the_chain_listens_on_the_chosen_port_unless_it_is_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(OptionsError, match=f"port {port} for the chain is in use"):
            Chain(log=tmp_path / "chain.log", port=port)
    assert Chain(log=tmp_path / "chain.log", port=port).url == f"http://127.0.0.1:{port}"
