"""The life of the process: ports first, then the chain, the store and the scheduler."""

import asyncio
from contextlib import AsyncExitStack

from workerpool_kit import metrics as kit_metrics
from workerpool_kit.access.tokens import Tokens
from workerpool_kit.mongo.database import Database
from workerpool_kit.process import Lifetime, version_of
from workerpool_poco.chain.wallet import Wallet

from workerpool_core import startup
from workerpool_core.adapters.mongo.documents import MODELS
from workerpool_core.adapters.mongo.keys import StoredKeys
from workerpool_core.app.workers.messages import ShutDown
from workerpool_core.composition.parts import Parts
from workerpool_core.composition.scheduler import start_scheduler
from workerpool_core.composition.servers import open_ports
from workerpool_core.settings import CoreSettings, database_client_name

_KEY_ROTATION_S = 30 * 86_400.0
_RECONNECT_S = 1.0


async def serve(settings: CoreSettings, lifetime: Lifetime) -> None:
    """Start the scheduler, serve until the process is asked to stop, then stop it. Raises StartupError."""
    version = version_of(CoreSettings)
    kit_metrics.build_info("core", version)
    async with AsyncExitStack() as stack:
        wallet, database = await _open_wallet_and_database(settings)
        stack.push_async_callback(database.close)
        parts = Parts(settings, lifetime, stack, wallet, version)
        tokens = Tokens(
            StoredKeys(),
            issuer="workerpool-core",
            audience=settings.pool_address,
            lifetime_s=settings.token_lifetime_s,
            rotate_after_s=_KEY_ROTATION_S,
            clock=parts.clock,
        )
        await open_ports(parts, tokens)
        await start_scheduler(parts, tokens, database)
        await lifetime.stopped()
        if (running := parts.core.maybe_running) is not None:
            # Workers keep their replicates and reconnect; the next core process learns these from their Hello.
            running.sessions.end_all(
                ShutDown("SCHEDULER_STOPPING", "the scheduler stops; connect again soon", _RECONNECT_S)
            )


async def _open_wallet_and_database(settings: CoreSettings) -> tuple[Wallet, Database]:
    """Open both at once: the key store's password hash takes as long as the connection. Raises StartupError."""
    app_name = database_client_name(settings)
    connecting = asyncio.create_task(Database.connect(settings, models=MODELS, app_name=app_name))
    try:
        wallet = await startup.open_wallet(settings.wallet_path, settings.wallet_password.get_secret_value())
    except BaseException:
        connecting.cancel()
        await asyncio.wait({connecting})
        raise
    return wallet, await connecting
