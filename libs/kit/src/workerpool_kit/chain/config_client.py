"""Reading the chain configuration from the config server: by gRPC, else by the documented `GET /config/chain`."""

import json
from collections.abc import Callable
from typing import Any

import grpc
from workerpool_protocol.registry.v1 import config_service_pb2 as pb
from workerpool_protocol.registry.v1.config_service_pb2_grpc import ConfigServiceStub

from workerpool_kit.chain.config import ChainConfig
from workerpool_kit.grpc.client import open_channel
from workerpool_kit.grpc.times import seconds_of
from workerpool_kit.logs import get_logger
from workerpool_kit.process import StartupError
from workerpool_kit.retry import Backoff, retry
from workerpool_kit.settings.types import parse_duration
from workerpool_kit.targets import grpc_target_of
from workerpool_kit.tls.identity import identity

log = get_logger()

_CALL_LIMIT_S = 3.0
_MAX_BYTES, _MAX_BRACKETS = 1 << 16, 64
_BACKOFF = Backoff(first_s=0.1, longest_s=5.0)


class ConfigServerUnreachable(Exception):
    """The config server does not answer yet; the message says how each protocol failed."""


async def read_chain_config(
    url: str, *, source: str, on_failure: Callable[[Exception], None] | None = None
) -> ChainConfig:
    """Return the chain configuration, waiting for a config server that does not answer yet.

    Raises StartupError as `ask_chain_config` does.

    Args:
        url: HTTP address of the config server, such as `http://host:8888`.
        source: Where `url` comes from, named in errors, such as `IEXEC_CONFIG_SERVER_URL`.
        on_failure: Called after each failed attempt.
    """
    config = await retry(
        lambda: ask_chain_config(url, source),
        what="read the chain configuration",
        on=ConfigServerUnreachable,
        backoff=_BACKOFF,
        on_failure=on_failure,
        config_server=url,
    )
    log.info("chain_config.read", config_server=url, chain_id=config.chain_id, hub=config.hub_address)
    return config


async def ask_chain_config(url: str, source: str) -> ChainConfig:
    """Return the chain configuration after one attempt by each protocol; see `read_chain_config` for the arguments.

    Raises ConfigServerUnreachable without an answer, and StartupError when `url` is no service address or when the
    answer cannot be used.
    """
    try:
        target = grpc_target_of(url)
    except ValueError as error:
        raise StartupError(f"{source}: {error}") from error
    try:
        config = await _ask_grpc(target)
    except grpc.aio.AioRpcError as error:
        config = await _ask_http(url, source, error.details() or error.code().name)
    except (ValueError, OverflowError) as error:
        raise _unusable(url, source, error) from error
    if problem := config.problem():
        raise StartupError(f"the config server at {url} is misconfigured: {problem}; correct its settings")
    return config


def _unusable(url: str, source: str, error: Exception) -> StartupError:
    return StartupError(
        f"the config server at {url} gives no usable chain configuration: {error!r}; correct {source}"
    )


async def _ask_grpc(target: str) -> ChainConfig:
    async with open_channel(target) as channel:
        stub: Any = ConfigServiceStub(channel)
        chain = (await stub.GetChain(pb.GetChainRequest(), timeout=_CALL_LIMIT_S)).chain
    block_time_s = seconds_of("block_time", chain.block_time)
    return ChainConfig(chain.chain_id, chain.sidechain, chain.node_url, chain.hub_address, block_time_s)


async def _ask_http(url: str, source: str, grpc_reason: str) -> ChainConfig:
    # Only a config server without gRPC needs it.
    import aiohttp

    limit = aiohttp.ClientTimeout(total=_CALL_LIMIT_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=limit) as session,
            session.get(
                f"{url}/config/chain", raise_for_status=True, ssl=identity().client_context()
            ) as answer,
        ):
            found = _decoded(await answer.content.read(_MAX_BYTES + 1))
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        http_reason = str(error) or type(error).__name__
        raise ConfigServerUnreachable(
            f"the config server at {url} does not answer (gRPC: {grpc_reason}; HTTP: {http_reason}); "
            f"start it or correct {source}"
        ) from error
    try:
        return ChainConfig(
            int(found["chainId"]),
            bool(found["sidechain"]),
            str(found.get("chainNodeUrl") or ""),
            str(found["iexecHubContractAddress"]),
            parse_duration(found["blockTime"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise _unusable(url, source, error) from error


def _decoded(body: bytes) -> Any:
    """Return the JSON value of a body. Raises ValueError also for a body that is larger or deeper than any real one."""
    text = body.decode()
    if len(body) > _MAX_BYTES or text.count("[") + text.count("{") > _MAX_BRACKETS:
        raise ValueError("the answer is not a chain configuration")
    return json.loads(text)
