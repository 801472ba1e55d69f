"""What must be true before the scheduler works, checked in order, each failure one sentence that names its cause.

What can come back by itself (a node, a config server) is waited for; what only an operator can
correct ends the process.
"""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import grpc
from workerpool_kit.grpc.client import open_channel
from workerpool_kit.logs import get_logger
from workerpool_kit.process import StartupError
from workerpool_kit.settings.base import parse_duration
from workerpool_kit.targets import grpc_target_of
from workerpool_poco.chain.hub import CallReverted, HubClient, HubNotFound, WrongChain
from workerpool_poco.chain.wallet import Wallet, WalletError
from workerpool_poco.errors import InvalidId, PocoError
from workerpool_poco.protocol.contract_text import MalformedAnswer
from workerpool_poco.protocol.ids import Address, address
from workerpool_protocol.registry.v1 import config_service_pb2 as pb
from workerpool_protocol.registry.v1.config_service_pb2_grpc import ConfigServiceStub

log = get_logger()
T = TypeVar("T")

_RETRY_FIRST_S, _RETRY_LAST_S = 0.1, 5.0
_CALL_LIMIT_S = 3.0


@dataclass(frozen=True, slots=True)
class ChainConfig:
    """Which chain the pool works on, from the config server. `block_time_s` in seconds."""

    chain_id: int
    sidechain: bool
    hub: Address
    block_time_s: float


class NotYet(Exception):
    """Something that is waited for is not there yet; the message says what."""


async def waited_for(what: str, step: Callable[[], Awaitable[T]], note: Callable[[str], None]) -> T:
    """Try a step until it succeeds; `note` is told what is waited for."""
    pause = _RETRY_FIRST_S
    note(what)
    while True:
        try:
            return await step()
        except NotYet as error:
            log.warning("boot.waiting", waits_for=what, error=str(error))
        await asyncio.sleep(pause)
        pause = min(pause * 2, _RETRY_LAST_S)


async def open_wallet(path: Path, password: str) -> Wallet:
    """Open the scheduler's wallet. Raises StartupError."""
    try:
        return await asyncio.to_thread(Wallet.from_keystore, path, password)
    except WalletError as error:
        raise StartupError(f"{error}; check IEXEC_CORE_WALLET_PATH and IEXEC_CORE_WALLET_PASSWORD") from error


async def read_chain_config(url: str) -> ChainConfig:
    """Ask the config server, by gRPC and, where nobody answers that, by HTTP. Raises NotYet or StartupError."""
    try:
        found = await _by_grpc(url)
    except grpc.aio.AioRpcError as error:
        reason = error.details() or error.code().name
        found = await asyncio.to_thread(_by_http, url, reason)
    try:
        config = ChainConfig(
            int(found["chainId"]),
            bool(found["sidechain"]),
            address(found["iexecHubContractAddress"]),
            float(found["blockTime"]),
        )
    except (KeyError, TypeError, ValueError, InvalidId) as error:
        raise StartupError(
            f"the config server at {url} gives no usable chain configuration: {error!r}"
        ) from error
    if config.chain_id <= 0 or not 0.1 <= config.block_time_s <= 20:
        raise StartupError(f"the config server at {url} gives an impossible chain id or block time")
    return config


async def _by_grpc(url: str) -> dict[str, Any]:
    try:
        target = grpc_target_of(url)
    except ValueError as error:
        raise StartupError(f"IEXEC_CONFIG_SERVER_URL: {error}") from error
    async with open_channel(target) as channel:
        stub: Any = ConfigServiceStub(channel)
        chain = (await stub.GetChain(pb.GetChainRequest(), timeout=_CALL_LIMIT_S)).chain
    return {
        "chainId": chain.chain_id,
        "sidechain": chain.sidechain,
        "iexecHubContractAddress": chain.hub_address,
        "blockTime": chain.block_time.ToTimedelta().total_seconds(),
    }


def _by_http(url: str, reason: str) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(f"{url}/config/chain", timeout=_CALL_LIMIT_S) as answer:
            found: dict[str, Any] = json.load(answer)
        return found | {"blockTime": parse_duration(found["blockTime"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotYet(f"the config server at {url} does not answer (gRPC: {reason}; HTTP: {error})") from error


async def connect_chain(hub: HubClient) -> None:
    """Check that the node serves the right chain and that the hub stands on it. Raises NotYet or StartupError."""
    try:
        await hub.connect()
    except WrongChain as error:
        raise StartupError(
            f"{error}; IEXEC_BLOCKCHAIN_NODE_ADDRESS and the config server disagree"
        ) from error
    except HubNotFound as error:
        raise StartupError(f"{error}; the config server names another chain's hub") from error
    except PocoError as error:
        raise NotYet(f"the node does not answer: {error}") from error


async def check_pool(hub: HubClient, pool: Address, wallet: Wallet) -> None:
    """Check that the pool exists and belongs to the scheduler's wallet. Raises NotYet or StartupError."""
    try:
        owner = await hub.workerpool_owner(pool)
        await hub.view_workerpool(pool)
    except (CallReverted, MalformedAnswer) as error:
        raise StartupError(
            f"wrong pool address: there is no workerpool at {pool} on chain {hub.chain_id}; check POOL_ADDRESS"
        ) from error
    except PocoError as error:
        raise NotYet(f"the node does not answer: {error}") from error
    if owner != wallet.address:
        raise StartupError(
            f"workerpool {pool} belongs to {owner}, but the wallet of IEXEC_CORE_WALLET_PATH is {wallet.address}; "
            "use the owner's wallet or another POOL_ADDRESS"
        )
