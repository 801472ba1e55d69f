"""Assessment of commands against the chain, and a record of the state in which each was possible."""

from collections.abc import Iterable, Sequence

from workerpool_chain_adapter.app.ports import ChainReads
from workerpool_chain_adapter.domain.assessment import Sendable, Verdict, assess
from workerpool_chain_adapter.domain.command import Command, CommandKey


class Assessor:
    """The assessor of commands; the state that it saw of each decides what a gas estimate proves."""

    def __init__(self, chain: ChainReads) -> None:
        self._chain = chain
        self._seen: dict[CommandKey, Sendable] = {}

    async def assess(self, commands: Sequence[Command]) -> list[Verdict]:
        """Return what the contract would do with each command. Raises ChainUnreachable."""
        snapshots = await self._chain.snapshots(commands)
        verdicts = [assess(command, at) for command, at in zip(commands, snapshots, strict=True)]
        for command, verdict in zip(commands, verdicts, strict=True):
            if isinstance(verdict, Sendable):
                self._seen[command.key] = verdict
            else:
                self._seen.pop(command.key, None)
        return verdicts

    def seen(self, key: CommandKey) -> Sendable | None:
        """Return the state in which a command was last possible; None when it must be assessed first."""
        return self._seen.get(key)

    def forget(self, keys: Iterable[CommandKey]) -> None:
        """Drop the states of commands: ended ones, and those to assess again before they are sent."""
        for key in keys:
            self._seen.pop(key, None)
