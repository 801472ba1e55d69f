"""The database as a dependency: a primary that accepts the credentials."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import OperationFailure, PyMongoError

from workerpool_kit.dependencies.report import CREDENTIALS, Dependency, DependencyProblem, DependencyReport
from workerpool_kit.dependencies.watch import PERIOD_S, start_watching, watch
from workerpool_kit.mongo.connection import CredentialsRefused, address_of
from workerpool_kit.mongo.database import Database
from workerpool_kit.mongo.migrations import Migration
from workerpool_kit.mongo.outages import UNAUTHORIZED
from workerpool_kit.process import Lifetime, StartupError
from workerpool_kit.settings.base import MongoSettings

COMPONENT = "database"
NEXT_STEP = "start the MongoDB replica set, or correct the variable; the service continues by itself"


def database_dependency(settings: MongoSettings) -> Dependency:
    """Return the database that the settings name."""
    variable = "MONGO_URI" if settings.mongo_uri else "MONGO_HOST, MONGO_PORT"
    return Dependency(COMPONENT, variable, address_of(settings), NEXT_STEP)


async def probe_database(database: AsyncDatabase[Any]) -> None:
    """Return when a primary answers a query of this service's database. Raises DependencyProblem."""
    try:
        hello = await database.command("hello")
        if not hello.get("isWritablePrimary"):
            raise DependencyProblem("MongoDB has no primary; check rs.status()")
        # hello works without a login, this does not.
        await database.command({"find": "workerpool_probe", "limit": 1})
    except OperationFailure as error:
        if error.code in UNAUTHORIZED:
            raise refused_credentials() from None
        raise DependencyProblem(f"MongoDB refuses a query ({type(error).__name__})") from None
    except PyMongoError as error:
        raise DependencyProblem(f"no primary of MongoDB answers ({type(error).__name__})") from None


def refused_credentials() -> DependencyProblem:
    """Return the problem of wrong credentials."""
    return DependencyProblem(
        "MongoDB refuses the credentials",
        kind=CREDENTIALS,
        variable="MONGO_URI",
        next_step="correct user and password in MONGO_URI, or the user's rights in MongoDB",
    )


async def open_database(
    settings: MongoSettings,
    report: DependencyReport,
    lifetime: Lifetime,
    cleanup: AsyncExitStack,
    *,
    models: Sequence[type[Any]],
    migrations: Sequence[Migration] = (),
) -> Database:
    """Connect as `connect_database`, then watch the database until `cleanup` disconnects it."""
    database = await connect_database(settings, report, models=models, migrations=migrations)
    cleanup.push_async_callback(database.close)
    start_watching(lifetime, cleanup, watch_database(database, report), COMPONENT)
    return database


async def connect_database(settings: MongoSettings, report: DependencyReport, **options: Any) -> Database:
    """Return `Database.connect`, waiting for the database as long as it takes and naming it in health meanwhile.

    Raises StartupError for a malformed MONGO_URI.
    """

    def waits(problem: StartupError) -> None:
        refused = isinstance(problem, CredentialsRefused)
        report.fails(refused_credentials() if refused else DependencyProblem(str(problem)))

    database = await Database.connect(settings, waits=waits, **options)
    report.works()
    return database


async def watch_database(database: Database, report: DependencyReport, every_s: float = PERIOD_S) -> None:
    """Probe the database until cancelled."""
    # A client of the event loop: calls that hang would delay a probe in the thread pool.
    client = database.event_loop_database()
    await watch(report, lambda: probe_database(client), every_s=every_s)
