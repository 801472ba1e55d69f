"""`poolworker status`: the running worker's journal and health, the scheduler's view, and the chain."""

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
from workerpool_kit.settings.base import EVERY_INTERFACE
from workerpool_kit.targets import host_and_port
from workerpool_poco.errors import PocoError
from workerpool_poco.protocol.ids import Address, DealId
from workerpool_transactions.domain.balance import transactions_left

from workerpool_worker.adapters.chain.earnings import read_earnings
from workerpool_worker.adapters.files.worker_lock import Holder, holder_of
from workerpool_worker.adapters.journal_reading import HeldTask, read_journal
from workerpool_worker.cli.local_checks import stored_address, wallet_finding
from workerpool_worker.cli.pool_checks import PoolChecks
from workerpool_worker.domain.diagnosis.findings import Severity
from workerpool_worker.domain.diagnosis.status_report import (
    Earned,
    HeldReplicate,
    StatusReport,
    is_at_stake,
    max_reward,
)
from workerpool_worker.settings import WorkerSettings

_LIMIT_S, _EARNINGS_LIMIT_S, _HEALTH_LIMIT_S = 9.0, 3.0, 2.0
_ANY_HOST = (EVERY_INTERFACE, "0.0.0.0")


async def read_status(settings: WorkerSettings, version: str, *, days: float) -> StatusReport:
    """Return the state of the worker of these settings within ten seconds; what takes longer is left out."""
    report = StatusReport(version, pool=settings.pool_address, core=settings.core)
    holder = _holder(settings, report)
    if holder is not None:
        report.pid, report.is_elsewhere = holder.pid, not holder.is_here
    tasks = await _journal(settings, report)
    async with AsyncExitStack() as stack:
        checks = PoolChecks(settings, stack)
        try:
            async with asyncio.timeout(_LIMIT_S):
                await asyncio.gather(
                    _health(settings, holder, report), _pool(settings, checks, tasks, report, days)
                )
        except TimeoutError:
            report.unread.append(f"pool and chain did not answer within {_LIMIT_S:.0f} s")
    return report


def _holder(settings: WorkerSettings, report: StatusReport) -> Holder | None:
    try:
        return holder_of(settings.folder)
    except OSError as problem:
        report.unread.append(f"the folder {settings.folder}: {problem.strerror}")
        return None


async def _journal(settings: WorkerSettings, report: StatusReport) -> tuple[HeldTask, ...]:
    try:
        view = await asyncio.to_thread(read_journal, settings.folder / "journal.db")
    except (ValueError, OSError) as problem:
        report.unread.append(str(problem))
        return ()
    report.unanswered = view.unanswered
    report.replicates = [
        HeldReplicate(
            each.record.task_id,
            each.record.stage.value,
            each.record.status.value,
            each.record.since,
            each.app,
        )
        for each in view.tasks
    ]
    return view.tasks


async def _health(settings: WorkerSettings, holder: Holder | None, report: StatusReport) -> None:
    """Read what the worker's own health names."""
    if holder is None or not holder.http_port:
        return
    host = "127.0.0.1" if settings.http_bind in _ANY_HOST else settings.http_bind
    scheme = "https" if settings.tls_certificate is not None else "http"
    url = f"{scheme}://{host_and_port(host, holder.http_port)}/actuator/health"
    try:
        limit = aiohttp.ClientTimeout(total=_HEALTH_LIMIT_S)
        # The certificate names the host for others; here the worker of this host answers in any case.
        async with aiohttp.ClientSession(timeout=limit) as session, session.get(url, ssl=False) as answer:
            components = json.loads(await answer.text())["components"]
            report.troubles = _troubles(components)
            report.pulls = _told(components, "images", "pulls")
            report.waiting_uploads = _told(components, "uploads", "waiting")
    # Another program at the port may answer any JSON text.
    except (aiohttp.ClientError, OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        report.unread.append(f"the worker's health at {url}: {str(problem) or type(problem).__name__}")


def _troubles(components: dict[str, Any]) -> list[str]:
    """Return a sentence per component of the health that is not up."""
    found = []
    for name, component in sorted(components.items()):
        if component.get("status") == "UP":
            continue
        details = component.get("details", {})
        problem = (
            details.get("problem") or details.get("error") or details.get("reason") or "it is not in service"
        )
        step = details.get("next_step")
        found.append(f"{name}: {problem}{f' ({step})' if step else ''}.")
    return found


def _told(components: dict[str, Any], component: str, detail: str) -> list[str]:
    """Return the sentences in a detail of a component of the health."""
    return [str(each) for each in components.get(component, {}).get("details", {}).get(detail, [])]


async def _pool(
    settings: WorkerSettings,
    checks: PoolChecks,
    tasks: tuple[HeldTask, ...],
    report: StatusReport,
    days: float,
) -> None:
    scheduler = await checks.scheduler(report.version)
    report.unread += [each.message for each in scheduler if each.severity is Severity.PROBLEM]
    wallet = stored_address(settings.wallet_path)
    if wallet is None:
        finding, wallet = await wallet_finding(settings)
        if wallet is None:
            report.unread.append(finding.message)
            return
    report.wallet = wallet
    await asyncio.gather(_standing(checks, wallet, report), _chain(checks, wallet, tasks, report, days))


async def _standing(checks: PoolChecks, wallet: Address, report: StatusReport) -> None:
    standing = await checks.standing(wallet)
    if standing is None:
        return
    worker = standing.worker
    report.connected = worker.connected
    report.slots, report.used_slots = worker.slots, worker.used_slots
    report.idle_reason = standing.idle_reason


async def _chain(
    checks: PoolChecks, wallet: Address, tasks: tuple[HeldTask, ...], report: StatusReport, days: float
) -> None:
    found = await checks.node()
    contributed = [each for each in tasks if is_at_stake(each.record)]
    report.pending_tasks = len(contributed)
    if checks.hub is None or checks.chain is None:
        report.unread += [each.message for each in found]
        return
    try:
        wealth = await checks.wealth(wallet)
        report.stake, report.locked = wealth.account.stake, wealth.account.locked
        report.balance = wealth.balance
        report.transactions_left = transactions_left(wealth.balance, wealth.price)
        deals = await checks.hub.view_deals([DealId(each.deal_id) for each in contributed])
        report.pending_max = sum(
            max_reward(deal.workerpool.price, deal.scheduler_reward_ratio) for deal in deals
        )
        report.earned = await _earned(checks, wallet, days)
    except PocoError as outage:
        report.unread.append(f"the chain: {outage}")


async def _earned(checks: PoolChecks, wallet: Address, days: float) -> Earned | None:
    assert checks.hub is not None
    assert checks.chain is not None
    last = await checks.hub.block_number()
    # In this order any number of days is a block, infinitely many too.
    first = int(max(0, last - days * 86_400 / checks.chain.block_time_s))
    found = await read_earnings(checks.hub, wallet, first=first, last=last, limit_s=_EARNINGS_LIMIT_S)
    start = await checks.hub.block(min(found.since, last))
    since = float(start.timestamp) if start is not None else 0.0
    return Earned(since, found.earned, len(found.tasks), found.seized, len(found.faults))
