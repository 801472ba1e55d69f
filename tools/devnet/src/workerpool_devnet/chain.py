"""The local chain: one anvil process that mines at once or in intervals."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from workerpool_devnet import packages
from workerpool_devnet.errors import ChainError
from workerpool_devnet.jsonrpc import JsonRpc
from workerpool_devnet.ports import free_port
from workerpool_devnet.process import ManagedProcess

CHAIN_ID = 65535
"""PoCo's own id for a native test chain; no SDK has defaults for it."""

_HEARTBEAT_SECONDS = 1
_BLOCK_GAS_LIMIT = 1_000_000_000
_KEPT_STATES = 128


class Chain:
    """Runs anvil on the loopback interface. Use as a context manager, or `start` and `stop`.

    Until `mine_every` is called each transaction is mined at once in a block of its own, and an
    empty block follows every second, so that the head's timestamp never lags behind the clock.
    """

    def __init__(self, *, log: Path, port: int | None = None, chain_id: int = CHAIN_ID) -> None:
        self.chain_id = chain_id
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.rpc = JsonRpc(self.url)
        self.process = ManagedProcess("chain", self._command(), log=log)

    def __enter__(self) -> Chain:
        """Start the chain and wait until it answers."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the chain."""
        self.stop()

    def start(self) -> None:
        """Start anvil and wait until it answers; raises `ProcessError` when it does not."""
        packages.ensure_packages()
        self.launch()
        try:
            self.wait_ready()
        except BaseException:
            self.stop()
            raise

    def launch(self) -> None:
        """Start the process only. Call from a thread that lives as long as the chain."""
        self.process.start()

    def wait_ready(self, timeout: float = 20.0) -> None:
        """Block until the chain answers; raises `ProcessError` when it does not."""
        self.process.wait_until(self._answers, timeout=timeout)

    def stop(self) -> None:
        """Stop anvil; its state is gone."""
        self.process.kill()
        self.rpc.close()

    def mine_every(self, seconds: int) -> None:
        """Mine a block every `seconds` (at least 1) with all waiting transactions, from now on.

        anvil cannot go back to its mixed mode, so a chain that has once been told stays like this.
        """
        self.rpc.call("evm_setAutomine", False)
        self.rpc.call("evm_setIntervalMining", seconds)

    def mine(self, blocks: int = 1) -> None:
        """Mine empty blocks now."""
        self.rpc.call("anvil_mine", hex(blocks))

    def increase_time(self, seconds: int) -> None:
        """Move the chain's clock forward and mine a block with the new time."""
        self.rpc.call("evm_increaseTime", seconds)
        self.mine()

    def reorganise(self, block: int, *mined_again: tuple[str, int]) -> None:
        """Replace the chain from a block on by as many new blocks, empty but for the transactions `mined_again`.

        Each of those is a signed transaction and the place of its block, 0 for `block` itself.
        anvil sets its clock back to the time of the last block that stays, so the clock is put right after it:
        a few reorganisations would otherwise leave a chain whose head is always too old to be trusted.
        """
        old = self._block(hex(block))["hash"]
        # anvil counts from its head, which may have grown meanwhile: then this block is still there.
        while self._block(hex(block))["hash"] == old:
            depth = int(self.rpc.call("eth_blockNumber"), 16) - block + 1
            self.rpc.call("anvil_reorg", depth, list(mined_again))
        newest = self._block("latest")
        self.increase_time(max(int(time.time()) - int(newest["timestamp"], 16), 0))

    def _block(self, name: str) -> dict[str, Any]:
        return dict(self.rpc.call("eth_getBlockByNumber", name, False))

    def snapshot(self) -> str:
        """Remember the present state; returns the name `revert` takes. A snapshot serves once."""
        return str(self.rpc.call("evm_snapshot"))

    def revert(self, snapshot: str) -> None:
        """Return to a snapshot, its clock included; raises `ChainError` when it is unknown."""
        if self.rpc.call("evm_revert", snapshot) is not True:
            raise ChainError(f"snapshot {snapshot} is unknown or was used already")

    def _answers(self) -> bool:
        try:
            return int(self.rpc.call("eth_chainId"), 16) == self.chain_id
        except ChainError:
            return False

    def _command(self) -> list[str]:
        return [
            str(packages.anvil_binary()),
            *("--host", "127.0.0.1", "--port", str(self.port), "--chain-id", str(self.chain_id)),
            *("--block-time", str(_HEARTBEAT_SECONDS), "--mixed-mining"),
            *("--gas-limit", str(_BLOCK_GAS_LIMIT), "--accounts", "1"),
            # Without a bound every block keeps its state and mining slows down as the chain grows; with
            # the newest state only, a client's read fails when a block is mined in the middle of it.
            *("--prune-history", str(_KEPT_STATES)),
            "--silent",
        ]
