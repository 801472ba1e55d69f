"""The journals and the wallet lease in memory."""

from collections.abc import Mapping, Sequence
from typing import Any

from workerpool_chain_adapter.domain.command import FINAL_STATES, Command, CommandKey, CommandState
from workerpool_kit.clock import Clock
from workerpool_kit.errors import DatabaseUnavailable
from workerpool_poco.protocol.ids import TaskId


class MemoryCommandJournal:
    """The `CommandJournal` port over a dictionary."""

    def __init__(self) -> None:
        self._commands: dict[CommandKey, Command] = {}

    async def add(self, commands: Sequence[Command]) -> list[Command | None]:
        """Add commands; see `CommandJournal`."""
        existing = [self._commands.get(each.key) for each in commands]
        for command, known in zip(commands, existing, strict=True):
            if known is None:
                self._commands[command.key] = command
        return existing

    async def save(self, commands: Sequence[Command]) -> None:
        """Write the current form of commands; see `CommandJournal`."""
        self._commands.update({each.key: each for each in commands})

    async def get(self, key: CommandKey) -> Command | None:
        """Return one command; see `CommandJournal`."""
        return self._commands.get(key)

    async def named(self, keys: Sequence[CommandKey]) -> list[Command]:
        """Return the stored commands among `keys`; see `CommandJournal`."""
        return sorted((self._commands[key] for key in set(keys) if key in self._commands), key=_position)

    async def live(self) -> list[Command]:
        """Return all commands that are not final; see `CommandJournal`."""
        return sorted((c for c in self._commands.values() if c.state not in FINAL_STATES), key=_position)

    async def page(
        self, size: int, before: tuple[float, str] | None, state: CommandState | None, task_id: TaskId | None
    ) -> list[Command]:
        """Return up to `size` commands, newest first; see `CommandJournal`."""
        wanted = [
            command
            for command in self._commands.values()
            if state in (None, command.state)
            and task_id in (None, command.key.task_id)
            and (before is None or _position(command) < before)
        ]
        return sorted(wanted, key=_position, reverse=True)[:size]


def _position(command: Command) -> tuple[float, str]:
    return command.created_at, str(command.key)


class MemoryLeases:
    """Leases by wallet, with the clock that a database server would have."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.taken: dict[str, tuple[Mapping[str, Any], float]] = {}
        """For each wallet the holder with its place, and the expiry in Unix seconds."""


class MemoryWalletLease:
    """The `WalletLease` port over `MemoryLeases`."""

    def __init__(
        self, leases: MemoryLeases, wallet: str, holder: str, where: Mapping[str, Any], ttl_s: float
    ) -> None:
        self._leases = leases
        self._wallet = wallet
        self._ours = {**where, "holder": holder}
        self._ttl_s = ttl_s
        self.outage: DatabaseUnavailable | None = None
        """Raised by `release`, if given."""

    async def take(self, *, replacing: str = "") -> Mapping[str, Any] | None:
        """Take or renew the lease; see `WalletLease`."""
        now = self._leases.clock.now()
        holder, expires_at = self._leases.taken.get(self._wallet, (self._ours, 0.0))
        if expires_at > now and holder["holder"] not in (self._ours["holder"], replacing):
            return holder
        self._leases.taken[self._wallet] = (self._ours, now + self._ttl_s)
        return None

    async def release(self) -> None:
        """Give the lease back; see `WalletLease`."""
        if self.outage is not None:
            raise self.outage
        holder, _ = self._leases.taken.get(self._wallet, ({}, 0.0))
        if holder.get("holder") == self._ours["holder"]:
            del self._leases.taken[self._wallet]
