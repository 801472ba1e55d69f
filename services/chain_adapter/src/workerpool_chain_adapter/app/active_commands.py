"""The commands in motion, in memory, and everybody who follows them.

The journal is what survives; the board is what is asked while the process lives. A change is shown here first:
whatever it says about the chain can be read from the chain again.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence

from workerpool_kit.batcher import Batcher

from workerpool_chain_adapter import metrics
from workerpool_chain_adapter.domain.command import Command, CommandKey, CommandState


class Board:
    """Commands by key, until they are final and journaled."""

    def __init__(self, save: Callable[[Sequence[Command]], Awaitable[None]]) -> None:
        """Prepare; `save` writes the present form of commands to the journal."""
        self._save = save
        # One write at a time, of what the board shows at that moment: an older form never overwrites a newer one.
        self._keep: Batcher[CommandKey, None] = Batcher(self._write)
        self._commands: dict[CommandKey, Command] = {}
        self._followers: dict[CommandKey, set[asyncio.Queue[Command]]] = {}
        self.work = asyncio.Event()
        """Set when a command waits for a transaction."""

    def get(self, key: CommandKey) -> Command | None:
        """Return a command in motion."""
        return self._commands.get(key)

    def show(self, *commands: Command) -> None:
        """Take new or changed commands and tell their followers."""
        for command in commands:
            self._commands[command.key] = command
            if command.state is CommandState.RECEIVED:
                self.work.set()
            for follower in self._followers.get(command.key, ()):
                follower.put_nowait(command)

    async def record(self, *commands: Command) -> None:
        """Show new or changed commands and write them to the journal; those that are final then leave the board."""
        self.show(*commands)
        await asyncio.gather(*(self._keep(command.key) for command in commands))

    def waiting(self) -> list[Command]:
        """Return the commands that are in no transaction, oldest first."""
        waiting = [each for each in self._commands.values() if each.state is CommandState.RECEIVED]
        metrics.WAITING.set(len(waiting))
        return waiting

    def unfinished(self, keys: Iterable[CommandKey]) -> list[Command]:
        """Return those of the commands that are in a transaction."""
        found = (self._commands.get(key) for key in keys)
        return [each for each in found if each is not None and each.state is CommandState.PROCESSING]

    async def _write(self, keys: Sequence[CommandKey]) -> list[None]:
        present = {key: self._commands[key] for key in keys if key in self._commands}
        await self._save(list(present.values()))
        for key, written in present.items():
            # Unless it was asked for again while it was written.
            if written.is_final and self._commands.get(key) is written:
                del self._commands[key]
        return [None] * len(keys)

    def follow(self, key: CommandKey) -> "Following":
        """Begin to collect the changes of one command; use as a context manager."""
        return Following(self._followers, key)


class Following:
    """Collects the changes of one command from the moment it is entered."""

    def __init__(self, followers: dict[CommandKey, set[asyncio.Queue[Command]]], key: CommandKey) -> None:
        self._followers = followers
        self._key = key
        self._queue: asyncio.Queue[Command] = asyncio.Queue()

    def __enter__(self) -> "Following":
        """Begin."""
        self._followers.setdefault(self._key, set()).add(self._queue)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        queues = self._followers[self._key]
        queues.discard(self._queue)
        if not queues:
            del self._followers[self._key]

    async def changes(self) -> AsyncIterator[Command]:
        """Yield each change, for ever."""
        while True:
            yield await self._queue.get()
