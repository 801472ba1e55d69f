"""The chain as its node shows it: head, pool, owner, stake."""

import asyncio

from workerpool_kit.chain.config import ChainConfig
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.rpc import without_secrets
from workerpool_poco.errors import (
    CallReverted,
    EmptyAnswer,
    HubNotFound,
    MalformedAnswer,
    PocoError,
    WrongChain,
)
from workerpool_poco.protocol.ids import Address, address

from poolctl.adapters.chain import chain_of
from poolctl.domain.diagnosis.facts import Chain
from poolctl.errors import CommandFailed
from poolctl.settings import PoolctlSettings

_LIMIT_S = 5.0
_DEFAULT_BLOCK_TIME_S = 5.0


async def configured_chain(settings: PoolctlSettings) -> ChainConfig | None:
    """Return the chain from the config server, else from the settings; None without either."""
    try:
        return await chain_of(settings)
    except CommandFailed:
        if settings.node_url is None or settings.hub_address is None or settings.chain_id is None:
            return None
        return ChainConfig(
            settings.chain_id, False, settings.node_url, settings.hub_address, _DEFAULT_BLOCK_TIME_S
        )


async def collect_chain_facts(
    settings: PoolctlSettings, chain: ChainConfig | None, pool: str, wallet: str
) -> tuple[Chain | None, int | None]:
    """Return what the node shows, and the free stake of a wallet in nRLC; None for what cannot be read.

    Args:
        settings: name the node, which replaces the one of the chain's configuration.
        chain: the chain of the pool.
        pool: address of the workerpool; empty when it is unknown.
        wallet: address of the wallet that signs; empty when it is unknown.
    """
    if chain is None:
        return None, None
    node = settings.node_url or chain.node_url
    client = HubClient(
        node, address(chain.hub_address), chain_id=chain.chain_id, timeout=_LIMIT_S, attempts=1
    )
    shown = Chain(
        without_secrets(node),
        chain_id=chain.chain_id,
        free_gas=chain.sidechain,
        block_time_s=chain.block_time_s,
    )
    try:
        await client.connect()
        return await _read(client, shown, pool, wallet)
    except (WrongChain, HubNotFound) as wrong:
        return Chain(shown.node_url, str(wrong), wrong_chain=True), None
    except (PocoError, ValueError) as outage:
        return Chain(shown.node_url, str(outage)), None
    finally:
        await client.close()


async def _read(client: HubClient, shown: Chain, pool: str, wallet: str) -> tuple[Chain, int | None]:
    head, ratio = await asyncio.gather(client.block(), client.workerpool_stake_ratio())
    owner, exists = await _owner(client, address(pool)) if pool else ("", True)
    stake = (await client.view_account(address(wallet))).stake if wallet else None
    return (
        Chain(
            shown.node_url,
            chain_id=shown.chain_id,
            free_gas=shown.free_gas,
            block_time_s=shown.block_time_s,
            head=head.number if head is not None else 0,
            head_time=float(head.timestamp) if head is not None else 0.0,
            pool_exists=exists,
            owner=owner,
            stake_ratio=ratio,
        ),
        stake,
    )


async def _owner(client: HubClient, pool: Address) -> tuple[str, bool]:
    try:
        return await client.workerpool_owner(pool), True
    except (CallReverted, EmptyAnswer, MalformedAnswer):
        return "", False
