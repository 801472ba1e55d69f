"""Start-up checks: wallet, node, chain, hub, database, lease. A wrong setting ends the process."""

import asyncio

from workerpool_kit.health import Health
from workerpool_kit.logs import get_logger
from workerpool_kit.mongo.database import Database
from workerpool_kit.process import StartupError
from workerpool_kit.retry import retry
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.wallet import (
    Wallet,
    WalletError,
    WalletFileInvalid,
    WalletFileMissing,
    WrongWalletPassword,
)
from workerpool_poco.errors import ChainUnreachable, HubNotFound, RpcError, WrongChain

from workerpool_chain_adapter.adapters.mongo.journal_origin import bind_origin
from workerpool_chain_adapter.app.lease import Lease
from workerpool_chain_adapter.errors import WalletInUse
from workerpool_chain_adapter.settings import DOCUMENTED_PASSWORD, ChainAdapterSettings

log = get_logger()

CHAIN = "chain"
"""Name of the health component."""


def warn_of_default_password(settings: ChainAdapterSettings) -> None:
    """Log a warning when callers still authenticate with the documented default password."""
    if settings.password.get_secret_value() == DOCUMENTED_PASSWORD:
        log.warning("password.left_at_default", variable="IEXEC_BLOCKCHAIN_ADAPTER_API_PASSWORD")


async def open_wallet(settings: ChainAdapterSettings) -> Wallet:
    """Open the pool owner's wallet. Raises StartupError with the variable to correct."""
    prefix = "IEXEC_BLOCKCHAIN_ADAPTER_API_WALLET"
    try:
        # The key derivation takes about a second of CPU by design.
        return await asyncio.to_thread(
            Wallet.from_keystore, settings.wallet_path, settings.wallet_password.get_secret_value()
        )
    except WrongWalletPassword as error:
        raise StartupError(f"{error}; correct {prefix}_PASSWORD") from error
    except (WalletFileMissing, WalletFileInvalid, WalletError) as error:
        raise StartupError(f"{error}; correct {prefix}_PATH") from error


async def connect_hub(settings: ChainAdapterSettings, health: Health) -> HubClient:
    """Connect to the node, retrying until it answers; the health component is out of service meanwhile.

    Raises StartupError when the node serves another chain or the hub does not exist.
    """
    hub = HubClient(settings.node_url, settings.hub_address, chain_id=settings.chain_id)
    try:
        await retry(
            hub.connect,
            what="connect to the node",
            on=(ChainUnreachable, RpcError),
            on_failure=lambda _: health.set(CHAIN, False, reason="the node does not answer"),
        )
    except BaseException as error:
        await hub.close()
        if isinstance(error, WrongChain | HubNotFound):
            variable = "IEXEC_CHAIN_ID" if isinstance(error, WrongChain) else "IEXEC_HUB_ADDRESS"
            raise StartupError(f"{error}; correct {variable} or IEXEC_BLOCKCHAIN_NODE_ADDRESS") from error
        raise
    health.set(CHAIN, True)
    return hub


async def check_origin(database: Database, settings: ChainAdapterSettings) -> None:
    """Bind the database to this chain and hub. Raises StartupError when it belongs to others."""
    wanted = (settings.chain_id, settings.hub_address)
    found = await bind_origin(database, *wanted)
    if found != wanted:
        raise StartupError(
            f"the database {settings.mongo_database} holds the journal of chain {found[0]}, hub {found[1]}, "
            f"not of chain {wanted[0]}, hub {wanted[1]}; set another MONGO_DATABASE"
        )


async def acquire(lease: Lease) -> None:
    """Acquire the wallet. Raises StartupError when another adapter uses it."""
    try:
        await lease.acquire()
    except WalletInUse as error:
        raise StartupError(str(error)) from error
