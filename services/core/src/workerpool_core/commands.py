"""Commands of the entry point besides running the scheduler."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from workerpool_kit import logs
from workerpool_kit.mongo.database import Database
from workerpool_kit.process import EXIT_FAILED, EXIT_OK, EXIT_SETTINGS, StartupError
from workerpool_kit.settings.environment import SettingsError, load

from workerpool_core.adapters.mongo.documents import MODELS
from workerpool_core.adapters.mongo.store import Store
from workerpool_core.errors import CoreError
from workerpool_core.settings import CoreSettings, database_client_name

RESET_CURSOR = "reset-cursor"
_DESCRIPTION = """\
Set the block from which core follows the chain at its next start. Core must be stopped.
The command reads MONGO_URI, MONGO_HOST, MONGO_PORT and MONGO_DATABASE like core itself.
Blocks that core has followed before may be followed again: known tasks are left unchanged.
Deals in skipped blocks are never found."""


class CoreRunning(CoreError):
    """The command refuses to change the database of a running core."""

    reason = "CORE_RUNNING"


def reset_cursor(arguments: Sequence[str]) -> int:
    """Run `workerpool-core reset-cursor`; return the exit code of the process."""
    parser = argparse.ArgumentParser(
        prog=f"workerpool-core {RESET_CURSOR}",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--to", required=True, type=_block_number, metavar="N", help="the first block to follow"
    )
    first_block: int = parser.parse_args(arguments).to
    try:
        settings = load(CoreSettings)
        logs.configure("workerpool-core", "WARNING")
        message = asyncio.run(_reset(settings, first_block))
    except SettingsError as error:
        return _fail(EXIT_SETTINGS, *error.problems)
    except (StartupError, CoreError) as error:
        return _fail(EXIT_FAILED, str(error))
    sys.stdout.write(f"{message}\n")
    return EXIT_OK


async def _reset(settings: CoreSettings, first_block: int) -> str:
    """Store the cursor before `first_block`; return what changed. Raises StartupError or CoreRunning."""
    database = await Database.connect(settings, models=MODELS)
    try:
        if clients := await database.connected_as(database_client_name(settings)):
            raise CoreRunning(
                f"a core uses database {settings.mongo_database} (from {', '.join(clients)}); stop it first"
            )
        previous = await Store(database).reset_cursor(first_block)
    finally:
        await database.close()
    before = f"at block {previous.number}" if previous is not None else "not set"
    return f"The cursor was {before}. At its next start core follows the chain from block {first_block}."


def _block_number(text: str) -> int:
    number = int(text)
    if not 0 <= number < 2**63:
        raise ValueError
    return number


def _fail(code: int, *problems: str) -> int:
    for problem in problems:
        sys.stderr.write(f"workerpool-core {RESET_CURSOR}: {problem}\n")
    return code
