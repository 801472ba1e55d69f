"""What must be right before the adapter works: wallet, node, chain, hub, database. Wrong things end the process."""

import asyncio
import random

from workerpool_kit.health import Health
from workerpool_kit.logs import get_logger
from workerpool_kit.mongo import Database
from workerpool_kit.process import StartupError
from workerpool_poco.chain.hub import HubClient, HubNotFound, WrongChain
from workerpool_poco.chain.rpc import ChainUnreachable, RpcError
from workerpool_poco.chain.wallet import (
    Wallet,
    WalletError,
    WalletFileInvalid,
    WalletFileMissing,
    WrongWalletPassword,
)

from workerpool_chain_adapter.adapters.mongo_journal import JournalOrigin
from workerpool_chain_adapter.domain.planning import MAX_BATCH
from workerpool_chain_adapter.settings import ChainAdapterSettings

log = get_logger()

CHAIN = "chain"
"""Name of the health component."""

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 5.0
_GAS_OF_AN_INITIALIZATION = 300_000
"""About 230,000 in a batch, and a margin like the one of estimates."""
_BLOCK_SHARE_PERCENT = 90
"""A transaction that wants a whole block waits for an empty one."""


async def open_wallet(settings: ChainAdapterSettings) -> Wallet:
    """Open the pool owner's wallet; raises StartupError with the variable to correct."""
    prefix = "IEXEC_BLOCKCHAIN_ADAPTER_API_WALLET"
    try:
        # Opening takes about a second of CPU on purpose.
        return await asyncio.to_thread(
            Wallet.from_keystore, settings.wallet_path, settings.wallet_password.get_secret_value()
        )
    except WrongWalletPassword as error:
        raise StartupError(f"{error}; correct {prefix}_PASSWORD") from error
    except (WalletFileMissing, WalletFileInvalid, WalletError) as error:
        raise StartupError(f"{error}; correct {prefix}_PATH") from error


async def connect_hub(settings: ChainAdapterSettings, health: Health) -> HubClient:
    """Connect to the node, waiting as long as it does not answer (health: out of service).

    Raises StartupError when it serves another chain or there is no hub.
    """
    hub = HubClient(settings.node_url, settings.hub_address, chain_id=settings.chain_id)
    pause = _FIRST_PAUSE_S
    while True:
        try:
            await hub.connect()
        except (WrongChain, HubNotFound) as error:
            await hub.close()
            variable = "IEXEC_CHAIN_ID" if isinstance(error, WrongChain) else "IEXEC_HUB_ADDRESS"
            raise StartupError(f"{error}; correct {variable} or IEXEC_BLOCKCHAIN_NODE_ADDRESS") from error
        except (ChainUnreachable, RpcError) as error:
            health.set(CHAIN, False, reason="the node does not answer")
            log.warning("chain.unreachable", error=str(error), retry_in_s=round(pause, 1))
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 2, _LONGEST_PAUSE_S)
        except BaseException:
            await hub.close()
            raise
        else:
            health.set(CHAIN, True)
            return hub


async def bind_journal(database: Database, settings: ChainAdapterSettings) -> None:
    """Make sure that the journal is about this chain and hub; raises StartupError."""
    wanted = (settings.chain_id, settings.hub_address)
    found = await JournalOrigin(database).bind(*wanted)
    if found != wanted:
        raise StartupError(
            f"the database {settings.mongo_database} holds the journal of chain {found[0]}, hub {found[1]}, "
            f"not of chain {wanted[0]}, hub {wanted[1]}; set another MONGO_DATABASE"
        )


def largest_batch(block_gas_limit: int) -> int:
    """Return how many initializations fit into one transaction on a chain with this block gas limit."""
    fitting = block_gas_limit * _BLOCK_SHARE_PERCENT // 100 // _GAS_OF_AN_INITIALIZATION
    return max(1, min(fitting, MAX_BATCH))
