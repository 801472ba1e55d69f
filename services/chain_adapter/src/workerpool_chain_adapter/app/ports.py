"""The ports of the use cases, implemented by `adapters`."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from workerpool_poco.protocol.ids import TaskId

from workerpool_chain_adapter.domain.assessment import Snapshot
from workerpool_chain_adapter.domain.command import Command, CommandKey, CommandState


class CommandJournal(Protocol):
    """The durable store of commands.

    `add`, `get` and `page` raise `DatabaseUnavailable` during an outage; the other methods wait for its end.
    """

    async def add(self, commands: Sequence[Command]) -> list[Command | None]:
        """Add commands with distinct keys; return for each the command already stored with its key, or None."""

    async def save(self, commands: Sequence[Command]) -> None:
        """Write the current state of commands."""

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

        `state` and `task_id` are filters; None selects all.
        """


class WalletLease(Protocol):
    """The exclusive right of this process to use the wallet, for a limited time."""

    async def take(self, *, replacing: str = "") -> Mapping[str, Any] | None:
        """Take or renew the lease; return None, or the other holder: its id as `holder`, and where it runs.

        The lease is free when it has expired, belongs to this process, or its holder is `replacing`.
        """

    async def release(self) -> None:
        """Release the lease if this process holds it. Raises DatabaseUnavailable."""


class ProcessTable(Protocol):
    """The identities of processes across hosts."""

    def describe(self) -> Mapping[str, Any]:
        """Return where this process runs: `host`, `pid` and whatever `is_alive` needs."""

    def is_alive(self, place: Mapping[str, Any]) -> bool | None:
        """Return whether a described process is running; None when this host cannot tell."""


class ChainReads(Protocol):
    """Reads of the chain for assessments; every method raises `ChainUnreachable` when the node does not answer."""

    async def snapshots(self, commands: Sequence[Command]) -> list[Snapshot]:
        """Read the state that `assess` needs for these commands, all at one block, the newest ever read."""

    async def block_gas_limit(self) -> int:
        """Return the gas limit of the newest block, which may be far above that of one transaction."""
