"""The chain: which one the pool works on, and the hub on it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from workerpool_kit.chain.config import ChainConfig
from workerpool_kit.chain.config_client import ConfigServerUnreachable, ask_chain_config
from workerpool_kit.process import StartupError
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.errors import HubNotFound, PocoError, WrongChain
from workerpool_poco.protocol.ids import address

from poolctl.errors import CommandFailed, Unreachable, UnusableSettings
from poolctl.settings import PoolctlSettings

_LIMIT_S = 5.0
_STEP = "start the node, or name another one with IEXEC_BLOCKCHAIN_NODE_ADDRESS (--node-url)"


async def chain_of(settings: PoolctlSettings) -> ChainConfig:
    """Return the chain of the pool from its config server. Raises Unreachable or CommandFailed."""
    try:
        return await ask_chain_config(settings.registry_url, "IEXEC_CONFIG_SERVER_URL")
    except ConfigServerUnreachable as outage:
        raise Unreachable(str(outage), "start the registry, or set the chain in the pool's .env") from outage
    except StartupError as wrong:
        raise CommandFailed(str(wrong), "correct the registry's settings") from wrong


@asynccontextmanager
async def hub_of(node_url: str, hub: str, chain_id: int | None) -> AsyncIterator[HubClient]:
    """Connect to the hub of a chain. Raises Unreachable for the node, UnusableSettings for a wrong chain or hub."""
    client = HubClient(node_url, address(hub), chain_id=chain_id, timeout=_LIMIT_S, attempts=2)
    try:
        try:
            await client.connect()
        except (WrongChain, HubNotFound) as wrong:
            raise UnusableSettings(
                str(wrong), "compare IEXEC_CHAIN_ID, IEXEC_HUB_ADDRESS and the node"
            ) from wrong
        yield client
    except PocoError as outage:
        raise Unreachable(f"the node fails: {outage}", _STEP) from outage
    finally:
        await client.close()
