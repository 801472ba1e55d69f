import time
from itertools import pairwise
from pathlib import Path

import pytest
from patience import PATIENCE_S
from workerpool_devnet.chain import anvil
from workerpool_devnet.chain.heartbeat import Heartbeat
from workerpool_devnet.pytest_plugin import PocoChain


def number(chain: PocoChain) -> int:
    return int(chain.chain.rpc.call("eth_blockNumber"), 16)


def test_blocks_follow_each_other_until_the_heartbeat_stops(fresh_poco_chain: PocoChain) -> None:
    fresh_poco_chain.chain.rpc.call("evm_setIntervalMining", 0)
    try:
        heartbeat = Heartbeat(fresh_poco_chain.url, 0.05)
        heartbeat.start()
        wanted, deadline = number(fresh_poco_chain) + 3, time.monotonic() + PATIENCE_S
        while number(fresh_poco_chain) < wanted:
            assert time.monotonic() < deadline, "no blocks"
        heartbeat.stop()
        assert number(fresh_poco_chain) == number(fresh_poco_chain)
    finally:
        fresh_poco_chain.chain.mine_at_once()


def test_a_heartbeat_ends_with_its_chain() -> None:
    heartbeat = Heartbeat("http://127.0.0.1:9", 0.01)
    heartbeat.start()
    heartbeat.stop()


def test_a_revert_while_blocks_are_mined_keeps_the_chain_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a pause of the heartbeat, anvil loses blocks or links them to blocks that are gone."""
    monkeypatch.setattr(anvil, "_HEARTBEAT_SECONDS", 0.005)
    with anvil.Chain(log=tmp_path / "chain.log") as chain:
        for _ in range(100):
            snapshot = chain.snapshot()
            chain.mine()
            chain.revert(snapshot)
        chain.stop_mining()
        head = int(chain.rpc.call("eth_blockNumber"), 16)
        blocks = [chain.rpc.call("eth_getBlockByNumber", hex(at), False) for at in range(head + 1)]
    assert all(child["parentHash"] == block["hash"] for block, child in pairwise(blocks))
