"""What the use cases need from outside; `adapters` implements it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol

from workerpool_poco.protocol.ids import Address, Hex, TaskId
from workerpool_poco.protocol.model import Block

from workerpool_chain_adapter.domain.assessment import ChainSnapshot
from workerpool_chain_adapter.domain.command import Command, CommandKey, CommandState
from workerpool_chain_adapter.domain.planning import Plan
from workerpool_chain_adapter.domain.sending import GasEstimate, SendAnswer
from workerpool_chain_adapter.domain.transaction import JournaledTransaction, Receipt, Version


class CommandJournal(Protocol):
    """Stores commands; a write that returned survives the loss of the process.

    `add`, `get` and `page` raise `DatabaseUnavailable` during an outage; the other methods wait for its end.
    """

    async def add(self, commands: Sequence[Command]) -> list[Command | None]:
        """Add commands with distinct keys; return for each the command already stored under its key, or None."""

    async def save(self, commands: Sequence[Command]) -> None:
        """Write the current form of commands."""

    async def get(self, key: CommandKey) -> Command | None:
        """Return one command."""

    async def named(self, keys: Sequence[CommandKey]) -> list[Command]:
        """Return the stored commands among `keys`, oldest first."""

    async def live(self) -> list[Command]:
        """Return all commands that are not final, oldest first."""

    async def page(
        self, size: int, before: tuple[float, str] | None, state: CommandState | None, task_id: TaskId | None
    ) -> list[Command]:
        """Return up to `size` commands, newest first, after the position (`created_at`, key) `before`.

        `state` and `task_id` select some of them, None selects all.
        """


class TransactionJournal(Protocol):
    """Stores the transactions of one wallet; a write that returned survives the loss of the process.

    Every method waits for the end of a database outage.
    """

    async def add(self, transactions: Sequence[JournaledTransaction]) -> None:
        """Add new transactions, before any is sent. Raises `NonceTaken`."""

    async def save(self, transactions: Sequence[JournaledTransaction]) -> None:
        """Write the current form of transactions."""

    async def pending(self) -> list[JournaledTransaction]:
        """Return the transactions that have not ended, by nonce."""

    async def ended(self, first: int, before: int | None) -> list[JournaledTransaction]:
        """Return the ended transactions with nonces from `first` up to, not including, `before` (None: no bound)."""

    async def last_mined(self, blocks: int) -> list[JournaledTransaction]:
        """Return the transactions of the newest block that has one and of the `blocks` before it, newest first."""


class WalletLease(Protocol):
    """The exclusive right of this process to use the wallet, for a limited time."""

    async def take(self, *, replacing: str = "") -> Mapping[str, Any] | None:
        """Take or renew the lease; return None, or the other holder: its id as `holder`, and where it runs.

        The lease is free when it has expired, belongs to this process, or its holder is `replacing`.
        """

    async def release(self) -> None:
        """Give the lease back if this process holds it."""


class ProcessTable(Protocol):
    """Identifies processes across hosts."""

    def describe(self) -> Mapping[str, Any]:
        """Return where this process runs: `host`, `pid` and what else `is_alive` needs."""

    def is_alive(self, place: Mapping[str, Any]) -> bool | None:
        """Return whether a described process still runs; None when this host cannot tell."""


class WalletChain(Protocol):
    """The chain as the pool owner's wallet reads and uses it.

    Every method that awaits raises `ChainUnreachable` when the node does not answer.
    """

    @property
    def address(self) -> Address:
        """The wallet's address."""

    async def snapshots(self, commands: Sequence[Command]) -> list[ChainSnapshot]:
        """Read what `assess` needs for these commands."""

    async def estimate(self, plans: Sequence[Plan]) -> tuple[int, list[GasEstimate]]:
        """Return the network's gas price (wei) and the gas each plan needs."""

    def sign(self, nonce: int, gas: int, gas_price: int, data: bytes) -> Version:
        """Sign a call of the hub; without `data`, an empty transfer to the wallet itself."""

    async def send(self, versions: Sequence[Version]) -> list[SendAnswer]:
        """Send signed transactions in order; sending one again is harmless."""

    async def counts(self) -> tuple[int, int]:
        """Return the wallet's transaction counts: at the latest block, and including the node's pool."""

    async def receipts(self, transactions: Sequence[JournaledTransaction]) -> dict[int, Receipt]:
        """Return the receipts of mined transactions by nonce, whichever version was mined."""

    async def knows(self, hashes: Sequence[Hex]) -> list[bool]:
        """Return for each hash whether the node has that transaction, mined or not."""

    async def network_price(self) -> int:
        """Return the network's gas price, in wei."""

    async def balance(self) -> int:
        """Return the wallet's balance, in wei."""


class Heads(Protocol):
    """The chain's latest block, followed in the background."""

    @property
    def latest(self) -> Block | None:
        """The latest block, None before the first."""

    def __aiter__(self) -> AsyncIterator[Block]:
        """Yield the latest block now and each time it changes."""

    async def wait_change(self, timeout: float) -> Any:
        """Return at the next change of the latest block, or after `timeout` seconds."""
