"""The commands in progress, in memory, and the streams that follow them.

The journal survives a restart; this copy answers requests while the process runs. A change appears here before it is
journaled, because the chain can be read again after a crash.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence

from workerpool_kit.batcher import Batcher

from workerpool_chain_adapter import metrics
from workerpool_chain_adapter.app.wakeup import Wakeup
from workerpool_chain_adapter.domain.command import Command, CommandKey, CommandState


class ActiveCommands:
    """Commands by key, until they are final and journaled."""

    def __init__(self, save: Callable[[Sequence[Command]], Awaitable[None]]) -> None:
        """Create without commands; `save` writes the current state of commands to the journal."""
        self._save = save
        # One write at a time, of the state at that time, so that an older state never overwrites a newer one.
        self._journal: Batcher[CommandKey, None] = Batcher(self._write)
        self._commands: dict[CommandKey, Command] = {}
        self._followers: dict[CommandKey, set[asyncio.Queue[Command]]] = {}
        self.sending = Wakeup()
        """Wakes the submitter when a command waits for a transaction."""

    def get(self, key: CommandKey) -> Command | None:
        """Return a command in progress."""
        return self._commands.get(key)

    def show(self, *commands: Command) -> None:
        """Add or update commands, and notify their followers."""
        for command in commands:
            self._commands[command.key] = command
            if command.state is CommandState.RECEIVED:
                self.sending.request()
            for follower in self._followers.get(command.key, ()):
                follower.put_nowait(command)

    async def record(self, *commands: Command) -> None:
        """Show and journal new or changed commands, then drop final ones."""
        self.show(*commands)
        await asyncio.gather(*(self._journal(command.key) for command in commands))

    def waiting(self) -> list[Command]:
        """Return the commands without a transaction, oldest first."""
        waiting = [each for each in self._commands.values() if each.state is CommandState.RECEIVED]
        metrics.WAITING.set(len(waiting))
        return waiting

    def processing(self, keys: Iterable[CommandKey]) -> list[Command]:
        """Return the commands among `keys` that are in a transaction."""
        found = (self._commands.get(key) for key in keys)
        return [each for each in found if each is not None and each.state is CommandState.PROCESSING]

    async def _write(self, keys: Sequence[CommandKey]) -> list[None]:
        current = {key: self._commands[key] for key in keys if key in self._commands}
        await self._save(list(current.values()))
        for key, written in current.items():
            # Keep a command that was requested again during the write.
            if written.is_final and self._commands.get(key) is written:
                del self._commands[key]
        return [None] * len(keys)

    def follow(self, key: CommandKey) -> "Following":
        """Collect the changes of one command; use as a context manager."""
        return Following(self._followers, key)


class Following:
    """A context that collects the changes of one command."""

    def __init__(self, followers: dict[CommandKey, set[asyncio.Queue[Command]]], key: CommandKey) -> None:
        self._followers = followers
        self._key = key
        self._queue: asyncio.Queue[Command] = asyncio.Queue()

    def __enter__(self) -> "Following":
        """Start collecting."""
        self._followers.setdefault(self._key, set()).add(self._queue)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop collecting."""
        queues = self._followers[self._key]
        queues.discard(self._queue)
        if not queues:
            del self._followers[self._key]

    async def changes(self) -> AsyncIterator[Command]:
        """Yield each change until cancelled."""
        while True:
            yield await self._queue.get()
