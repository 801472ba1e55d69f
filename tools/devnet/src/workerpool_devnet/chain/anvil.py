"""The local chain: one anvil process that mines each transaction immediately or in intervals."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from workerpool_devnet import packages
from workerpool_devnet.chain.heartbeat import Heartbeat
from workerpool_devnet.chain.jsonrpc import JsonRpc
from workerpool_devnet.errors import ChainError, OptionsError
from workerpool_devnet.processes.ports import free_port, is_free
from workerpool_devnet.processes.process import ManagedProcess

CHAIN_ID = 65535
"""Id of PoCo for test chains; no SDK has defaults for it."""

_HEARTBEAT_SECONDS = 1
_BLOCK_GAS_LIMIT = 1_000_000_000
_KEPT_STATES = 32
_LONGEST_BLOCK_SECONDS = 0.05
"""Seconds until a block that was being mined when mining stopped is complete."""


class Chain:
    """Runs anvil on the loopback interface. Use as a context manager, or `start` and `stop`.

    Until `mine_every` is called, each transaction is mined immediately in its own block. An empty block follows
    every second, so that the timestamp of the head keeps up with the clock. A chain with a `block_time`, in seconds,
    mines in this interval from its start. With `free_gas` it has the rules before EIP-1559, as on Bellecour: headers
    without a base fee, only legacy transactions, a gas price of 0. A `long` chain mines its last block as fast as its
    first: anvil hashes the whole storage for each block unless it is a fork, so it forks an empty chain. Raises
    `OptionsError` when `port` is in use.
    """

    def __init__(
        self,
        *,
        log: Path,
        port: int | None = None,
        chain_id: int = CHAIN_ID,
        block_time: float = 0,
        free_gas: bool = False,
        long: bool = False,
    ) -> None:
        if port is not None and not is_free(port):
            raise OptionsError(
                f"port {port} for the chain is in use: choose another (`make devnet CHAIN_PORT=…`)"
            )
        self.chain_id = chain_id
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.rpc = JsonRpc(self.url)
        self._block_time = block_time
        self._free_gas = free_gas
        self._forked: ManagedProcess | None = None
        fork: list[str] = []
        if long:
            empty = free_port()
            self._forked = ManagedProcess("empty chain", self._command(empty), log=log)
            fork = ["--fork-url", f"http://127.0.0.1:{empty}", "--no-storage-caching", "--no-rate-limit"]
            self._forked_rpc = JsonRpc(f"http://127.0.0.1:{empty}")
        self.process = ManagedProcess("chain", [*self._command(self.port), *fork], log=log)
        self._heartbeat: Heartbeat | None = None
        self._resume: Callable[[], None] = self.mine_at_once
        """Restores the current way of mining."""
        if block_time:
            self._resume = lambda: self.mine_every(block_time)

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
        if self._forked is not None:
            self._forked.start()
            self._forked.wait_until(lambda: self._answers(self._forked_rpc), timeout=120.0)
        self.process.start()

    def wait_ready(self, timeout: float = 120.0) -> None:
        """Wait until the chain answers; raises `ProcessError` after `timeout` seconds."""
        self.process.wait_until(lambda: self._answers(self.rpc), timeout=timeout)
        if not self._block_time:
            self._begin_heartbeat(_HEARTBEAT_SECONDS)

    def stop(self) -> None:
        """Stop anvil and lose its state."""
        self._end_heartbeat()
        self.process.kill()
        self.rpc.close()
        if self._forked is not None:
            self._forked.kill()
            self._forked_rpc.close()

    def mine_every(self, seconds: float) -> None:
        """Mine a block with all pending transactions every `seconds`."""
        self.stop_mining()
        if seconds == int(seconds):
            self.rpc.call("evm_setIntervalMining", int(seconds))
        else:
            # anvil takes a fraction of a second only as an argument.
            self._begin_heartbeat(seconds)
        self._resume = lambda: self.mine_every(seconds)

    def stop_mining(self) -> None:
        """Mine only when `mine` is called."""
        self._end_heartbeat()
        self.rpc.call("evm_setAutomine", False)
        self.rpc.call("evm_setIntervalMining", 0)
        self._resume = self.stop_mining

    def mine_at_once(self) -> None:
        """Mine each transaction immediately and an empty block every second, as after the start.

        A thread here mines the empty blocks: anvil's own mixed mode keeps the state of hundreds of blocks.
        """
        self.rpc.call("evm_setAutomine", True)
        # The transactions sent since mining stopped.
        self.mine()
        self._begin_heartbeat(_HEARTBEAT_SECONDS)
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
        # A block that anvil mines meanwhile combines old blocks with a foreign state, as in a reorganisation.
        resume = self._end_heartbeat()
        try:
            self._revert(snapshot)
        finally:
            resume()

    def _revert(self, snapshot: str) -> None:
        if self.rpc.call("evm_revert", snapshot) is not True:
            raise ChainError(
                f"snapshot {snapshot} is unknown or was used already: take a new one with snapshot()"
            )

    def _answers(self, rpc: JsonRpc) -> bool:
        try:
            return int(rpc.call("eth_chainId"), 16) == self.chain_id
        except ChainError:
            return False

    def _begin_heartbeat(self, seconds: float) -> None:
        if self._heartbeat is None:
            self._heartbeat = Heartbeat(self.url, seconds)
            self._heartbeat.start()

    def _end_heartbeat(self) -> Callable[[], None]:
        """Stop mining blocks from this process. Return a function that resumes it."""
        heartbeat, self._heartbeat = self._heartbeat, None
        if heartbeat is None:
            return lambda: None
        heartbeat.stop()
        return lambda: self._begin_heartbeat(heartbeat.seconds)

    def _command(self, port: int) -> list[str]:
        return [
            str(packages.anvil_binary()),
            *("--host", "127.0.0.1", "--port", str(port), "--chain-id", str(self.chain_id)),
            # With this argument anvil ignores the bound of `--prune-history` and keeps hundreds of states.
            *(["--block-time", str(self._block_time)] if self._block_time else []),
            # The Berlin rules are the last ones without a base fee.
            *(["--hardfork", "berlin", "--gas-price", "0"] if self._free_gas else []),
            *("--gas-limit", str(_BLOCK_GAS_LIMIT), "--accounts", "1"),
            # Without a bound every block keeps its state and mining slows down as the chain grows; with
            # the newest state only, a client's read fails when a block is mined in the middle of it.
            *("--prune-history", str(_KEPT_STATES)),
            "--silent",
        ]
