"""Everything that `poolctl doctor` reads, concurrently where possible."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from workerpool_protocol.core.v1 import pool_service_pb2 as pb
from workerpool_protocol.core.v1.pool_service_pb2_grpc import PoolServiceStub

from poolctl.adapters.adapter import Adapter
from poolctl.adapters.checks import host_facts
from poolctl.adapters.checks.chain_facts import collect_chain_facts, configured_chain
from poolctl.adapters.checks.service_facts import collect_service_facts
from poolctl.adapters.core import Core
from poolctl.adapters.publisher import offers
from poolctl.adapters.services import Services
from poolctl.domain.diagnosis.facts import Facts, Offered, Pool, Service, Wallet
from poolctl.errors import CommandFailed, Refused
from poolctl.settings import PoolctlSettings

Say = Callable[[str], None]
_SUPPLY_LIMIT_S = 4.0


async def collect(
    settings: PoolctlSettings,
    variables: Mapping[str, str],
    folder: Path,
    *,
    now: float,
    version: str,
    say: Say,
) -> Facts:
    """Return the facts about a pool. Changes nothing; omits what cannot be read.

    Args:
        settings: the settings of poolctl.
        variables: every variable of the pool's `.env`, and those of poolctl in the environment.
        folder: the pool's folder.
        now: Unix seconds.
        version: that of poolctl.
        say: takes a line for each step.
    """
    say("services")
    async with Services(settings) as services:
        # Query only services that are up: the others cost their time limits.
        shown = await asyncio.gather(
            *(
                collect_service_facts(
                    name, url, grpc_target=settings.core_grpc or "" if name == "core" else ""
                )
                for name, url in settings.services.items()
            )
        )
        up = {each.name for each in shown if not each.http.problem and not (each.grpc and each.grpc.problem)}
        say("core, wallet, orders")
        pool, (wallet, adapter_refuses), (offered, publisher_refuses), core_refuses = await asyncio.gather(
            _pool(Core(services)) if "core" in up else _nothing(),
            _wallet(services) if "chain_adapter" in up else _pair(),
            _offered(services) if "order_publisher" in up else _pair(),
            _operator(services) if "core" in up else _no_refusal(),
        )
    refused = {"core": core_refuses, "chain_adapter": adapter_refuses, "order_publisher": publisher_refuses}
    say("chain")
    chain, stake = await collect_chain_facts(
        settings,
        await configured_chain(settings),
        settings.pool_address or (pool.address if pool is not None else ""),
        wallet.address if wallet is not None else "",
    )
    say("host")
    return Facts(
        now=now,
        own_version=version,
        configured_pool=settings.pool_address or "",
        services=tuple(_with_refusal(each, refused) for each in shown),
        chain=chain,
        wallet=None if wallet is None else dataclasses.replace(wallet, stake_nrlc=stake),
        pool=pool,
        offered=offered,
        volumes=host_facts.volumes(folder, settings),
        weak_passwords=host_facts.weak_passwords(variables, folder),
        exposed_files=host_facts.exposed_files(variables, folder, settings),
        certificates=host_facts.certificates(settings),
    )


def _with_refusal(service: Service, refused: Mapping[str, str]) -> Service:
    return dataclasses.replace(service, refused=refused.get(service.name, ""))


async def _pool(core: Core) -> Pool | None:
    with suppress(CommandFailed):
        found = await core.status()
        return Pool(found["workerpool"], found["latest_block"], found["cursor_block"], found["alive_workers"])
    return None


async def _wallet(services: Services) -> tuple[Wallet | None, str]:
    if services.settings.adapter_password is None:
        return None, ""
    found, refused = await _asked(Adapter(services).wallet())
    if found is None:
        return None, refused
    return (
        Wallet(
            found["address"],
            int(found["balance_wei"] or 0),
            found["transactions_left"],
            found["parked_reason"],
        ),
        "",
    )


async def _offered(services: Services) -> tuple[Offered | None, str]:
    if (services.settings.publisher_password or services.settings.operator_password) is None:
        return None, ""
    found, refused = await _asked(offers(services))
    if found is None:
        return None, refused
    price = max((each["price"] for each in found["offers"]), default=0)
    return Offered(price, found["open_volume"]), ""


async def _operator(services: Services) -> str:
    """Return why core refuses the operator; empty when it does not, or when none is set."""
    if services.settings.operator_password is None or not services.settings.operator_username:
        return ""
    answers = services.stream("core", PoolServiceStub, "WatchSupply", pb.WatchSupplyRequest(), operator=True)
    try:
        async with asyncio.timeout(_SUPPLY_LIMIT_S):
            async for _ in answers:
                return ""
    except Refused as refused:
        return refused.message
    except (CommandFailed, TimeoutError):
        pass
    return ""


async def _asked(question: Awaitable[dict[str, Any]]) -> tuple[dict[str, Any] | None, str]:
    try:
        return await question, ""
    except Refused as refused:
        return None, refused.message
    except CommandFailed:
        return None, ""


async def _nothing() -> None:
    return None


async def _pair() -> tuple[None, str]:
    return None, ""


async def _no_refusal() -> str:
    return ""
