"""The lifecycle of the process: ports first, then the chain, the store and the scheduler."""

import asyncio
from contextlib import AsyncExitStack

from workerpool_kit.access.tokens import Tokens
from workerpool_kit.dependencies.database import connect_database, database_dependency, watch_database
from workerpool_kit.dependencies.report import DependencyReport
from workerpool_kit.dependencies.watch import start_watching
from workerpool_kit.health import Health
from workerpool_kit.mongo.database import Database
from workerpool_kit.process import Lifetime, version_of

from workerpool_core import startup
from workerpool_core.adapters.mongo.documents import MODELS
from workerpool_core.adapters.mongo.keys import StoredKeys
from workerpool_core.app.workers.messages import ShutDown
from workerpool_core.composition import dependencies
from workerpool_core.composition.parts import Parts
from workerpool_core.composition.scheduler import start_scheduler
from workerpool_core.composition.servers import open_grpc, open_http
from workerpool_core.settings import CoreSettings, database_client_name

_KEY_ROTATION_S = 30 * 86_400.0
_RECONNECT_S = 1.0


async def serve(settings: CoreSettings, lifetime: Lifetime) -> None:
    """Start the scheduler, serve until the process must stop, then stop it. Raises StartupError."""
    version = version_of(CoreSettings)
    health = Health()
    async with AsyncExitStack() as stack:
        # Connect concurrently: the key store's password hash takes as long as the connection.
        report = DependencyReport(health, database_dependency(settings))
        connecting = asyncio.create_task(
            connect_database(settings, report, models=MODELS, app_name=database_client_name(settings))
        )
        stack.push_async_callback(_close, connecting)
        wallet = await startup.open_wallet(settings.wallet_path, settings.wallet_password.get_secret_value())
        parts = Parts(settings, lifetime, stack, wallet, version, health=health)
        http = await open_http(parts)
        registry = dependencies.watch_services(parts)
        parts.core.waits_for("its database")
        database = await connecting
        start_watching(lifetime, stack, watch_database(database, report), "database")
        tokens = Tokens(
            StoredKeys(database),
            issuer="workerpool-core",
            audience=settings.pool_address,
            lifetime_s=settings.token_lifetime_s,
            rotate_after_s=_KEY_ROTATION_S,
            clock=parts.clock,
        )
        await open_grpc(parts, tokens, http)
        await start_scheduler(parts, tokens, database, registry)
        await lifetime.stopped()
        if (running := parts.core.maybe_running) is not None:
            # Workers keep their replicates and reconnect; their Hello lists the replicates for the next core process.
            running.sessions.end_all(
                ShutDown(
                    "SCHEDULER_STOPPING", "the scheduler is stopping; reconnect in a second", _RECONNECT_S
                )
            )


async def _close(connecting: "asyncio.Task[Database]") -> None:
    """Close the database, or cancel the pending connection."""
    connecting.cancel()
    await asyncio.wait({connecting})
    if not connecting.cancelled() and connecting.exception() is None:
        await connecting.result().close()
