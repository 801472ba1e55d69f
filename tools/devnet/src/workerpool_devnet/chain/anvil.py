"""The local chain: one anvil process that mines each transaction at once or in intervals."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from workerpool_devnet import packages
from workerpool_devnet.chain.jsonrpc import JsonRpc
from workerpool_devnet.errors import ChainError
from workerpool_devnet.processes.ports import free_port
from workerpool_devnet.processes.process import ManagedProcess

CHAIN_ID = 65535
"""Id of PoCo for a native test chain; no SDK has defaults for it."""

_HEARTBEAT_SECONDS = 1
_BLOCK_GAS_LIMIT = 1_000_000_000
_KEPT_STATES = 128
_LONGEST_BLOCK_SECONDS = 0.05
"""Time after which a block that was being mined when mining stopped is complete."""


class Chain:
    """Runs anvil on the loopback interface. Use as a context manager, or `start` and `stop`.

    Until `mine_every` is called, each transaction is mined at once in its own block. An empty block follows
    every second, so that the timestamp of the head keeps up with the clock.
    """

    def __init__(self, *, log: Path, port: int | None = None, chain_id: int = CHAIN_ID) -> None:
        self.chain_id = chain_id
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.rpc = JsonRpc(self.url)
        self.process = ManagedProcess("chain", self._command(), log=log)
        self._heartbeat = Heartbeat(self.url)
        self._resume: Callable[[], None] = self.mine_at_once
        """Restores the current way of mining."""

    def __enter__(self) -> Chain:
        """Start the chain and wait until it answers."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the chain."""
        self.stop()

    def start(self) -> None:
        """Start anvil and wait until it answers; raises `ProcessError` when it does not answer."""
        packages.ensure_packages()
        self.launch()
        try:
            self.wait_ready()
        except BaseException:
            self.stop()
            raise

    def launch(self) -> None:
        """Start the process without waiting. Call it from a thread that lives as long as the chain."""
        self.process.start()

    def wait_ready(self, timeout: float = 20.0) -> None:
        """Wait until the chain answers; raises `ProcessError` after `timeout` seconds."""
        self.process.wait_until(self._answers, timeout=timeout)

    def stop(self) -> None:
        """Stop anvil and lose its state."""
        self._heartbeat.stop()
        self.process.kill()
        self.rpc.close()

    def mine_every(self, seconds: int) -> None:
        """Mine a block with all pending transactions every `seconds` (at least 1)."""
        self.stop_mining()
        self.rpc.call("evm_setIntervalMining", seconds)
        self._resume = lambda: self.mine_every(seconds)

    def stop_mining(self) -> None:
        """Mine only when `mine` is called."""
        self._heartbeat.stop()
        self.rpc.call("evm_setAutomine", False)
        self.rpc.call("evm_setIntervalMining", 0)
        self._resume = self.stop_mining

    def mine_at_once(self) -> None:
        """Mine each transaction at once and an empty block every second, as after the start.

        anvil cannot return to its mixed mode, so a thread here mines the empty blocks.
        """
        self.rpc.call("evm_setAutomine", True)
        # The transactions sent since mining stopped.
        self.mine()
        self._heartbeat.start()
        self._resume = self.mine_at_once

    def mine(self, blocks: int = 1) -> None:
        """Mine empty blocks now."""
        self.rpc.call("anvil_mine", hex(blocks))

    def increase_time(self, seconds: int) -> None:
        """Move the chain's clock forward and mine a block with the new time."""
        self.rpc.call("evm_increaseTime", seconds)
        self.mine()

    def reorganise(self, block: int, *mined_again: tuple[str, int]) -> None:
        """Replace the chain from a block on by as many new blocks, which hold only the transactions `mined_again`.

        Each of them is a signed transaction and the offset of its block, 0 for `block` itself.
        anvil sets its clock back to the last common block, so the clock is corrected afterwards: otherwise
        the head is too old to be trusted after a few reorganisations.
        """
        resume = self._resume
        # A block that anvil mines during a reorganisation combines old blocks with a foreign state.
        self.stop_mining()
        time.sleep(_LONGEST_BLOCK_SECONDS)
        try:
            head = self.rpc.call("eth_getBlockByNumber", "latest", False)
            self.rpc.call("anvil_reorg", int(head["number"], 16) - block + 1, list(mined_again))
            newest = self.rpc.call("eth_getBlockByNumber", "latest", False)
            self.increase_time(max(int(time.time()) - int(newest["timestamp"], 16), 0))
        finally:
            resume()

    def snapshot(self) -> str:
        """Save the current state and return its name for `revert`, which accepts each name once."""
        return str(self.rpc.call("evm_snapshot"))

    def revert(self, snapshot: str) -> None:
        """Return to a snapshot, its clock included; raises `ChainError` when it is unknown."""
        if self.rpc.call("evm_revert", snapshot) is not True:
            raise ChainError(
                f"snapshot {snapshot} is unknown or was used already: take a new one with snapshot()"
            )

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


class Heartbeat:
    """Mines an empty block every second, in a thread."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread unless it runs."""
        if self._thread is None:
            self._over.clear()
            self._thread = threading.Thread(target=self._beat, name="chain heartbeat", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop the thread after the block that it is mining."""
        if self._thread is not None:
            self._over.set()
            self._thread.join()
            self._thread = None

    def _beat(self) -> None:
        rpc = JsonRpc(self._url)
        try:
            while not self._over.wait(_HEARTBEAT_SECONDS):
                rpc.call("anvil_mine", "0x1")
        except ChainError:
            # The chain has stopped.
            return
        finally:
            rpc.close()
