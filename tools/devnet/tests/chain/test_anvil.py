import time
from pathlib import Path

import pytest
from workerpool_devnet.chain.anvil import Chain
from workerpool_devnet.errors import ChainError
from workerpool_devnet.market import accounts
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_poco.chain.wallet import Transaction, Wallet


def head(chain: Chain) -> tuple[int, int]:
    block = chain.rpc.call("eth_getBlockByNumber", "latest", False)
    return int(block["number"], 16), int(block["timestamp"], 16)


def wait_for_block(chain: Chain, number: int) -> None:
    deadline = time.monotonic() + 10
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
