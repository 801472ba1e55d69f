"""The `CommandJournal` port in MongoDB."""

from collections.abc import Sequence
from functools import partial

from mongoengine import Q
from workerpool_kit.mongo.database import Database
from workerpool_poco.protocol.ids import TaskId

from workerpool_chain_adapter.adapters.mongo.bulk import insert_new, replace_all
from workerpool_chain_adapter.adapters.mongo.documents import CommandDocument
from workerpool_chain_adapter.domain.command import FINAL_STATES, Command, CommandKey, CommandState

_OLDEST_FIRST = ("created_at", "id")
_NEWEST_FIRST = ("-created_at", "-id")
_LIVE_STATES = [state for state in CommandState if state not in FINAL_STATES]


class MongoCommandJournal:
    """Commands by key; each call is one or two round trips, whatever the number of commands."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, commands: Sequence[Command]) -> list[Command | None]:
        """Add commands; see `CommandJournal`."""
        return await self._database.run_once(_add, commands) if commands else []

    async def save(self, commands: Sequence[Command]) -> None:
        """Write the current state of commands; see `CommandJournal`."""
        if commands:
            await self._database.run_with_retry(replace_all, [CommandDocument.of(each) for each in commands])

    async def get(self, key: CommandKey) -> Command | None:
        """Return one command; see `CommandJournal`."""
        found = await self._database.run_once(partial(_find, Q(id=str(key)), _OLDEST_FIRST))
        return found[0] if found else None

    async def named(self, keys: Sequence[CommandKey]) -> list[Command]:
        """Return the stored commands among `keys`; see `CommandJournal`."""
        if not keys:
            return []
        return await self._database.run_with_retry(_find, Q(id__in=[str(key) for key in keys]), _OLDEST_FIRST)

    async def live(self) -> list[Command]:
        """Return all commands that are not final; see `CommandJournal`."""
        return await self._database.run_with_retry(_find, Q(state__in=_LIVE_STATES), _OLDEST_FIRST)

    async def page(
        self, size: int, before: tuple[float, str] | None, state: CommandState | None, task_id: TaskId | None
    ) -> list[Command]:
        """Return up to `size` commands, newest first; see `CommandJournal`."""
        wanted = Q()
        if state is not None:
            wanted &= Q(state=state)
        if task_id:
            wanted &= Q(task_id=task_id)
        if before is not None:
            at, last = before
            wanted &= Q(created_at__lt=at) | Q(created_at=at, id__lt=last)
        return await self._database.run_once(_find, wanted, _NEWEST_FIRST, size)


def _add(commands: Sequence[Command]) -> list[Command | None]:
    refused = insert_new([CommandDocument.of(each) for each in commands])
    answers: list[Command | None] = [None] * len(commands)
    if refused:
        ids = [str(commands[index].key) for index in refused]
        existing = {each.key: each for each in _find(Q(id__in=ids), _OLDEST_FIRST)}
        for index in refused:
            answers[index] = existing[commands[index].key]
    return answers


def _find(wanted: Q, order: tuple[str, str], limit: int | None = None) -> list[Command]:
    found = CommandDocument.objects(wanted).order_by(*order)
    return [each.command() for each in (found if limit is None else found.limit(limit))]
