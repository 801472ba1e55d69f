"""The volume with the logs of every service is full for a while, then has room again."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import aiohttp
import http_calls
from small_volumes import VolumeRefused

from hostile import settings
from hostile.catalogue.all import HONEST
from hostile.deals import BoughtDeal, follow
from hostile.faults import full
from hostile.judging.limits import QuietTimes
from hostile.judging.verdicts import wrong
from hostile.pool import HostilePool, Say, hostile_pool

_COMPONENT = "logs"
"""The part of `/actuator/health` that says whether logs are written."""
_DROPPED = "logs.dropped"
"""The event that says afterwards how many lines were lost."""
_EXTRA_S = 600.0
_LOOK_S = 0.5
_RECOVERY_S = 30.0


@dataclass
class FullLogs:
    """What happened around the full volume."""

    deals: list[BoughtDeal] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    told: set[str] = field(default_factory=set)
    """Services whose health named the logs while the volume was full."""

    def line(self, seconds: float) -> str:
        """Return the measurement in one line."""
        return (
            f"logs full for {seconds:g} s: {len(self.deals)} deals bought before, during and after completed; "
            f"health of {', '.join(sorted(self.told))} named the logs"
        )


async def measure(seconds: float, say: Say) -> FullLogs:
    """Fill the volume for `seconds` while deals run; raises `VolumeRefused` when it cannot be mounted."""
    found = FullLogs()
    async with asyncio.timeout(seconds + _EXTRA_S), hostile_pool(say) as pool:
        if pool.logs is None:
            raise VolumeRefused("the log volume cannot be mounted")
        quiet = QuietTimes(settings.START_LIMIT_S)
        for entry in HONEST:
            quiet.add(entry, (await _bought(pool, [], quiet, HONEST.index(entry))).seconds)
        say("quiet times measured")
        running = [asyncio.create_task(_bought(pool, found.deals, quiet, number)) for number in range(2)]
        with full(pool.logs):
            say("the volume is full")
            end = time.monotonic() + seconds
            number = 2
            while time.monotonic() < end:
                running.append(asyncio.create_task(_bought(pool, found.deals, quiet, number)))
                number += 1
                await _watch_health(pool, found, min(end, time.monotonic() + 5))
        say(f"the volume has room again; health of {sorted(found.told)} named the logs")
        running += [asyncio.create_task(_bought(pool, found.deals, quiet, number + n)) for n in range(2)]
        await asyncio.gather(*running)
        for deal in found.deals:
            found.problems += [f"deal {deal.number} {deal.entry.name}: {text}" for text in wrong(deal, 0)]
        found.problems += await _not_recovered(pool)
        with full(pool.logs):
            found.problems += await pool.stop_workers()
    if "core" not in found.told:
        found.problems.append("the health of core did not name the logs while the volume was full")
    return found


async def _bought(pool: HostilePool, deals: list[BoughtDeal], quiet: QuietTimes, number: int) -> BoughtDeal:
    """Buy an honest deal and follow it to its end."""
    entry = HONEST[number % len(HONEST)]
    requester = ("alice", "bob", "carol")[number % 3]
    bought = await pool.buyers.buy(entry, requester)
    limit_s = quiet.limit(entry) if quiet.measured[entry.name] else _EXTRA_S
    deal = BoughtDeal(number, entry, requester, bought.task_ids, time.monotonic(), limit_s)
    deals.append(deal)
    await follow(pool.net.services["core"].grpc, deal)
    return deal


async def _watch_health(pool: HostilePool, found: FullLogs, until: float) -> None:
    while time.monotonic() < until:
        found.told |= {name for name in pool.net.services if await _logs_down(pool, name)}
        await asyncio.sleep(_LOOK_S)


async def _not_recovered(pool: HostilePool) -> list[str]:
    """Wait until every service writes logs again; return what is still wrong."""
    end = time.monotonic() + _RECOVERY_S
    services = [s.name for s in pool.net.services.values() if s.process.running]
    while down := [name for name in services if await _logs_down(pool, name)]:
        if time.monotonic() > end:
            return [f"{name} still reports its logs as lost" for name in down]
        await asyncio.sleep(_LOOK_S)
    silent = _DROPPED not in (pool.logs_folder / "core.log").read_text(errors="replace")
    return [f"core did not log {_DROPPED}"] if silent else []


async def _logs_down(pool: HostilePool, name: str) -> bool:
    """Return whether the health of a service says that its logs are lost."""
    service = pool.net.services[name]
    if not service.process.running:
        return False
    try:
        health = (await http_calls.get(f"{service.http}/actuator/health")).json()
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return False
    component = health.get("components", {}).get(_COMPONENT, {"status": "UP"})
    return bool(component["status"] != "UP")
